// Leads connections to the test's own name for the cloud to the server under test, as a hosts file and a firewall would.
const tls = require("node:tls");
const server = new URL(process.env.STRONGROOM_URL);
const connect = tls.connect;
tls.connect = (options, ...rest) =>
    options.host?.endsWith(".dynamics.com") || options.servername?.endsWith(".dynamics.com")
        ? connect({ ...options, host: server.hostname, port: Number(server.port), servername: "localhost" }, ...rest)
        : connect(options, ...rest);
