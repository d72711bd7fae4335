// Reads $metadata from standard input by the rules of OASIS (npm `odata-csdl`) and writes it as CSDL JSON; what breaks a
// rule ends the program.
const csdl = require("odata-csdl/lib/xml2json");
const fs = require("node:fs");

const messages = [];
const document = csdl.xml2json(fs.readFileSync(0), { messages, strict: true });
if (messages.length > 0) {
    console.error(messages.map((found) => found.message).join("\n"));
    process.exit(1);
}
process.stdout.write(JSON.stringify(document));
