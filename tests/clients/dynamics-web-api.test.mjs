// The npm client `dynamics-web-api`, unmodified. Run by node's own test runner; the server's address and token come in
// through STRONGROOM_URL and STRONGROOM_TOKEN.
import assert from "node:assert/strict";
import test from "node:test";
import { DynamicsWebApi } from "dynamics-web-api";

const client = new DynamicsWebApi({
    serverUrl: process.env.STRONGROOM_URL,
    dataApi: { version: "9.2" },
    onTokenRefresh: () => Promise.resolve(process.env.STRONGROOM_TOKEN),
});

test("WhoAmI", async () => {
    const me = await client.callFunction({ name: "WhoAmI" });
    assert.match(me.UserId, /^[0-9a-f-]{36}$/);
});

test("create, retrieve, update, upsert, delete", async () => {
    const id = await client.create({ collection: "accounts", data: { name: "Npm Ångström" } });
    assert.match(id, /^[0-9a-f-]{36}$/);
    await client.update({ collection: "accounts", key: id, data: { telephone1: "1" } });
    const row = await client.retrieve({ collection: "accounts", key: id, select: ["name", "telephone1"] });
    assert.equal(row.name, "Npm Ångström");
    assert.equal(row.telephone1, "1");
    const same = await client.upsert({ collection: "accounts", key: id, data: { name: "Npm upserted" }, returnRepresentation: true });
    assert.equal(same.name, "Npm upserted");
    await client.deleteRecord({ collection: "accounts", key: id });
    await assert.rejects(client.retrieve({ collection: "accounts", key: id, select: ["name"] }), (error) => error.status === 404);
});

test("an update with a stale ETag changes nothing", async () => {
    const made = await client.create({ collection: "accounts", data: { name: "Npm tag" }, returnRepresentation: true });
    await client.update({ collection: "accounts", key: made.accountid, data: { name: "Npm newer" } });
    const changed = await client.update({ collection: "accounts", key: made.accountid, data: { name: "Npm stale" }, ifmatch: made["@odata.etag"] });
    assert.equal(changed, false);
});

test("lists in pages, filters, orders, counts", async () => {
    for (let number = 0; number < 5; number++) {
        await client.create({ collection: "accounts", data: { name: `Npm page ${number}`, numberofemployees: number } });
    }
    const request = { collection: "accounts", select: ["name"], filter: "startswith(name,'npm page')", orderBy: ["name desc"] };
    const all = await client.retrieveAll({ ...request, maxPageSize: 2 });
    assert.deepEqual(all.value.map((row) => row.name), [4, 3, 2, 1, 0].map((number) => `Npm page ${number}`));
    assert.equal(await client.count({ collection: "accounts", filter: "startswith(name,'npm page')" }), 5);
    const page = await client.retrieveMultiple({ ...request, top: 2, count: true });
    assert.equal(page.value.length, 2);
    assert.equal(page.oDataCount, 5);
});

test("expands, associates and disassociates", async () => {
    const contact = await client.create({ collection: "contacts", data: { firstname: "Npm", lastname: "Person" } });
    const account = await client.create({ collection: "accounts", data: { name: "Npm tied", "primarycontactid@odata.bind": `contacts(${contact})` } });
    const row = await client.retrieve({ collection: "accounts", key: account, select: ["name"], expand: [{ property: "primarycontactid", select: ["fullname"] }] });
    assert.equal(row.primarycontactid.fullname, "Npm Person");
    const task = await client.create({ collection: "tasks", data: { subject: "Npm task" } });
    await client.associate({ collection: "accounts", primaryKey: account, relationshipName: "Account_Tasks", relatedCollection: "tasks", relatedKey: task });
    const tied = await client.retrieve({ collection: "accounts", key: account, select: ["name"], expand: [{ property: "Account_Tasks", select: ["subject"] }] });
    assert.deepEqual(tied.Account_Tasks.map((found) => found.subject), ["Npm task"]);
    await client.disassociate({ collection: "accounts", primaryKey: account, relationshipName: "Account_Tasks", relatedKey: task });
    await client.disassociateSingleValued({ collection: "accounts", primaryKey: account, navigationProperty: "primarycontactid" });
    const bare = await client.retrieve({ collection: "accounts", key: account, select: ["_primarycontactid_value"] });
    assert.equal(bare._primarycontactid_value, null);
});

test("FetchXML goes through all pages", async () => {
    const fetchXml = "<fetch count='2'><entity name='account'><attribute name='name'/><order attribute='name'/><filter><condition attribute='name' operator='like' value='Npm page%'/></filter></entity></fetch>";
    const found = await client.fetchAll({ collection: "accounts", fetchXml, includeAnnotations: "*" });
    assert.equal(found.value.length, 5);
});

test("a batch with a change set", async () => {
    client.startBatch();
    client.create({ collection: "contacts", data: { firstname: "Batch", lastname: "Npm" }, contentId: "1" });
    client.create({ collection: "accounts", data: { name: "Npm batch", "primarycontactid@odata.bind": "$1" } });
    const answers = await client.executeBatch();
    assert.equal(answers.length, 2);
    const found = await client.retrieveMultiple({ collection: "accounts", select: ["name"], filter: "primarycontactid/lastname eq 'npm'" });
    assert.deepEqual(found.value.map((row) => row.name), ["Npm batch"]);
});

test("a request whose URL is very long becomes a batch", async () => {
    const filter = Array.from({ length: 120 }, (_, number) => `name eq 'Npm nothing ${number}'`).join(" or ");
    const found = await client.retrieveMultiple({ collection: "accounts", select: ["name"], filter });
    assert.deepEqual(found.value, []);
});
