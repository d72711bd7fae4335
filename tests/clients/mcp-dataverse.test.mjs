// The npm program `mcp-dataverse`, unmodified: an MCP server for Dataverse, asked by MCP's own client. It takes addresses
// of *.dynamics.com alone, so such a name is led to the server here, as a hosts file would; and it gets its token as on a
// machine of the cloud, from an endpoint beside it, which hands out the server's own.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import test, { after, before } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const identity = createServer((_, response) => {
    response.setHeader("Content-Type", "application/json");
    const expires = Math.floor(Date.now() / 1000) + 3000;
    response.end(JSON.stringify({ access_token: process.env.STRONGROOM_TOKEN, expires_on: String(expires), resource: "x", token_type: "Bearer" }));
});
const client = new Client({ name: "strongroom-tests", version: "1" });

before(async () => {
    await new Promise((done) => identity.listen(0, "127.0.0.1", done));
    await client.connect(new StdioClientTransport({
        command: process.execPath,
        args: ["--require", "./lead-to-server.cjs", "node_modules/mcp-dataverse/dist/server.js"],
        env: {
            PATH: process.env.PATH,
            HOME: process.env.HOME ?? "/tmp",
            STRONGROOM_URL: process.env.STRONGROOM_URL,
            NODE_EXTRA_CA_CERTS: process.env.STRONGROOM_CA,
            DATAVERSE_ENV_URL: "https://strongroom.crm.dynamics.com",
            AUTH_METHOD: "managed-identity",
            IDENTITY_ENDPOINT: `http://127.0.0.1:${identity.address().port}/token`,
            IDENTITY_HEADER: "x",
        },
        stderr: "ignore",
    }));
});
after(async () => {
    await client.close();
    identity.close();
});

async function call(name, args = {}) {
    const answer = await client.callTool({ name, arguments: args });
    const text = answer.content.map((part) => part.text ?? "").join("\n");
    assert.ok(!answer.isError, `${name}: ${text}`);
    return text;
}

test("who am I", async () => {
    assert.match(await call("dataverse_whoami"), /[0-9a-f-]{36}/);
});

test("tables and their columns are described", async () => {
    assert.match(await call("dataverse_list_tables", { includeSystemTables: true }), /account/);
    assert.match(await call("dataverse_get_table_metadata", { logicalName: "account" }), /account/i);
});

test("rows are made, read, changed, found and deleted", async () => {
    const name = `Mcp ${Date.now()}`;
    const made = await call("dataverse_create", { entitySetName: "accounts", data: { name } });
    const id = made.match(/[0-9a-f]{8}-[0-9a-f-]{27}/)[0];
    await call("dataverse_update", { entitySetName: "accounts", id, data: { telephone1: "1" } });
    assert.match(await call("dataverse_get", { entitySetName: "accounts", id, select: ["name", "telephone1"] }), new RegExp(name));
    assert.match(await call("dataverse_query", { entitySetName: "accounts", filter: `name eq '${name}'`, select: ["name"] }), new RegExp(name));
    const fetchXml = `<fetch><entity name='account'><attribute name='name'/><filter><condition attribute='name' operator='eq' value='${name}'/></filter></entity></fetch>`;
    assert.match(await call("dataverse_execute_fetchxml", { entitySetName: "accounts", fetchXml }), new RegExp(name));
    await call("dataverse_delete", { entitySetName: "accounts", id, confirm: true });
});

const READING = {
    dataverse_get_relationships: { logicalName: "account" },
    dataverse_list_global_option_sets: {},
    dataverse_get_entity_key: { tableName: "account" },
    dataverse_list_users: {},
    dataverse_list_teams: {},
    dataverse_list_business_units: {},
    dataverse_list_views: { entityLogicalName: "account" },
    dataverse_get_audit_log: {},
    dataverse_list_connection_references: {},
    dataverse_retrieve_multiple_with_paging: { entitySetName: "accounts", select: ["name"] },
    dataverse_execute_function: { functionName: "WhoAmI" },
    dataverse_resolve_entity_name: { name: "account" },
    dataverse_list_workflows: {},
    dataverse_list_custom_actions: {},
    dataverse_list_plugin_steps: {},
    dataverse_environment_capabilities: {},
};

test("relationships, choices, keys, people, views, the trail and what else there is to read", async () => {
    for (const [name, args] of Object.entries(READING)) await call(name, args);
});

test("a refusal says why", async () => {
    const answer = await client.callTool({ name: "dataverse_query", arguments: { entitySetName: "accounts", filter: "nme eq 'x'" } });
    assert.ok(answer.isError);
    assert.match(answer.content[0].text, /Could not find a property named 'nme'/);
});
