// The npm client `dataverse-webapi`, unmodified. It always opens TLS to port 443 of the host, so connections to that port
// are led to the server's own, as a rule of the machine's firewall would.
import assert from "node:assert/strict";
import fs from "node:fs";
import https from "node:https";
import test from "node:test";
import tls from "node:tls";
import client from "dataverse-webapi/lib/node";

const address = new URL(process.env.STRONGROOM_URL);
const ca = fs.readFileSync(process.env.STRONGROOM_CA);
https.globalAgent.createConnection = (options, done) => tls.connect({ ...options, port: Number(address.port), ca }, done);
// Following a next link changes the configuration that it is given: each test has its own.
const configured = () => new client.WebApiConfig("9.2", process.env.STRONGROOM_TOKEN, `https://${address.hostname}`);
const isId = /^[0-9a-f-]{36}$/i;

test("create, retrieve, update, delete", async () => {
    const config = configured();
    const made = await client.createWithReturnData(config, "accounts", { name: "Dv" }, "$select=name,accountid");
    assert.equal(made.name, "Dv");
    const id = made.accountid;
    assert.match(id, isId);
    await client.update(config, "accounts", id, { telephone1: "1" });
    const changed = await client.updateWithReturnData(config, "accounts", id, { name: "Dv 2" }, "$select=name,telephone1");
    assert.deepEqual([changed.name, changed.telephone1], ["Dv 2", "1"]);
    await client.updateProperty(config, "accounts", id, "fax", "3");
    await client.deleteProperty(config, "accounts", id, "telephone1");
    const row = await client.retrieve(config, "accounts", id, "$select=name,fax,telephone1");
    assert.deepEqual([row.name, row.fax, row.telephone1], ["Dv 2", "3", null]);
    await client.deleteRecord(config, "accounts", id);
    await assert.rejects(client.retrieve(config, "accounts", id, "$select=name"));
});

test("lists go on by the next link", async () => {
    const config = configured();
    for (let number = 0; number < 3; number++) await client.create(config, "accounts", { name: `Dv page ${number}` });
    const query = "$select=name&$orderby=name&$filter=startswith(name,'Dv page')";
    const first = await client.retrieveMultiple(config, "accounts", query, { maxPageSize: 2 });
    assert.deepEqual(first.value.map((row) => row.name), ["Dv page 0", "Dv page 1"]);
    const second = await client.retrieveMultipleNextPage(config, first["@odata.nextLink"], { maxPageSize: 2 });
    assert.deepEqual(second.value.map((row) => row.name), ["Dv page 2"]);
});

test("associate and disassociate", async () => {
    const config = configured();
    const account = (await client.createWithReturnData(config, "accounts", { name: "Dv tied" }, "$select=accountid")).accountid;
    const contact = (await client.createWithReturnData(config, "contacts", { lastname: "Dv" }, "$select=contactid")).contactid;
    await client.associate(config, "accounts", account, "contact_customer_accounts", "contacts", contact);
    const tied = await client.retrieve(config, "contacts", contact, "$select=_parentcustomerid_value");
    assert.equal(tied._parentcustomerid_value, account);
    await client.disassociate(config, "contacts", contact, "parentcustomerid_account");
});

test("functions", async () => {
    const config = configured();
    const me = await client.unboundFunction(config, "WhoAmI");
    assert.match(me.UserId, isId);
    const found = await client.boundFunction(config, "systemusers", me.UserId, "RetrieveUserPrivileges");
    assert.ok(found.RolePrivileges.length > 100);
});

test("a batch with a change set", async () => {
    const config = configured();
    const changes = [1, 2].map((number) => ({ queryString: "accounts", entity: { name: `Dv batch ${number}` }, method: "POST" }));
    const answers = await client.batchOperation(config, "dv", "dvc", changes, ["accounts?$select=name&$top=1"]);
    assert.ok(answers);
    const found = await client.retrieveMultiple(config, "accounts", "$select=name&$filter=startswith(name,'Dv batch')");
    assert.equal(found.value.length, 2);
});
