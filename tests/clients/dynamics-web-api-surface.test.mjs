// The rest of what the npm client `dynamics-web-api` offers: definitions of tables, columns, relationships and choices,
// files, actions, and what Strongroom does not offer, by its answer.
import assert from "node:assert/strict";
import fs from "node:fs";
import test from "node:test";
import { DynamicsWebApi } from "dynamics-web-api";

const client = new DynamicsWebApi({
    serverUrl: process.env.STRONGROOM_URL,
    dataApi: { version: "9.2" },
    onTokenRefresh: () => Promise.resolve(process.env.STRONGROOM_TOKEN),
});
const NS = "Microsoft.Dynamics.CRM";
const isId = /^[0-9a-f-]{36}$/;
const suffix = `${Date.now().toString(36)}${Math.floor(Math.random() * 1296).toString(36)}`;
const label = (text) => ({ "@odata.type": `${NS}.Label`, LocalizedLabels: [{ "@odata.type": `${NS}.LocalizedLabel`, Label: text, LanguageCode: 1033 }] });
const column = (kind, name, more = {}) => ({ "@odata.type": `${NS}.${kind}AttributeMetadata`, SchemaName: name, DisplayName: label(name), RequiredLevel: { Value: "None" }, ...more });
const named = async (logicalName) => (await client.retrieveEntities({ select: ["LogicalName", "SchemaName", "EntitySetName"], filter: `LogicalName eq '${logicalName}'` })).value;

async function makeTable(stem) {
    const name = `new_${stem}${suffix}`;
    const primary = column("String", "new_Title", { MaxLength: 100, FormatName: { Value: "Text" }, IsPrimaryName: true });
    const id = await client.createEntity({
        data: { "@odata.type": `${NS}.EntityMetadata`, SchemaName: name, DisplayName: label(stem), DisplayCollectionName: label(`${stem}s`), OwnershipType: "UserOwned", HasNotes: false, HasActivities: false, IsActivity: false, Attributes: [primary] },
    });
    return { id, name };
}

test("one column is changed, lookups are set and counted", async () => {
    const account = await client.create({ collection: "accounts", data: { name: `Surface ${suffix}` } });
    const contact = await client.create({ collection: "contacts", data: { lastname: "Surface" } });
    await client.updateSingleProperty({ collection: "accounts", key: account, fieldValuePair: { fax: "7" } });
    await client.associateSingleValued({ collection: "accounts", primaryKey: account, navigationProperty: "primarycontactid", relatedCollection: "contacts", relatedKey: contact });
    const row = await client.retrieve({ collection: "accounts", key: account, select: ["fax", "_primarycontactid_value"] });
    assert.deepEqual([row.fax, row._primarycontactid_value], ["7", contact]);
    assert.equal(await client.countAll({ collection: "accounts", filter: `name eq 'Surface ${suffix}'` }), 1);
});

test("one page of FetchXML with its cookie", async () => {
    for (const number of [1, 2, 3]) await client.create({ collection: "accounts", data: { name: `Fetch ${suffix} ${number}` } });
    const fetchXml = `<fetch count='2'><entity name='account'><attribute name='name'/><order attribute='name'/><filter><condition attribute='name' operator='like' value='Fetch ${suffix}%'/></filter></entity></fetch>`;
    const first = await client.fetch({ collection: "accounts", fetchXml, includeAnnotations: "*" });
    assert.equal(first.value.length, 2);
    const second = await client.fetch({ collection: "accounts", fetchXml, pageNumber: first.PagingInfo.nextPage, pagingCookie: first.PagingInfo.cookie, includeAnnotations: "*" });
    assert.deepEqual(second.value.map((row) => row.name), [`Fetch ${suffix} 3`]);
});

test("actions, bound and unbound", async () => {
    const account = await client.create({ collection: "accounts", data: { name: `Action ${suffix}` } });
    const { UserId: me, BusinessUnitId } = await client.callFunction({ name: "WhoAmI" });
    const team = await client.create({ collection: "teams", data: { name: `Team ${suffix}`, teamtype: 0, "administratorid@odata.bind": `systemusers(${me})`, "businessunitid@odata.bind": `businessunits(${BusinessUnitId})` } });
    await client.callAction({ actionName: "GrantAccess", action: { Target: { "@odata.type": `${NS}.account`, accountid: account }, PrincipalAccess: { Principal: { "@odata.type": `${NS}.team`, teamid: team }, AccessMask: "ReadAccess" } } });
    await client.callAction({ collection: "teams", key: team, actionName: `${NS}.AddMembersTeam`, action: { Members: [{ "@odata.type": `${NS}.systemuser`, systemuserid: me }] } });
    const members = await client.retrieveMultiple({ collection: `teams(${team})/teammembership_association`, select: ["systemuserid"] });
    assert.deepEqual(members.value.map((row) => row.systemuserid), [me]);
});

test("tables are made, read, listed and changed", async () => {
    const { id, name } = await makeTable("Dwtable");
    assert.match(id, isId);
    const table = await client.retrieveEntity({ key: id });
    assert.equal(table.SchemaName, name);
    table.DisplayName = label("Changed");
    await client.updateEntity({ data: table, mergeLabels: true });
    const byName = await client.retrieveEntity({ key: `LogicalName='${name.toLowerCase()}'`, select: ["DisplayName"] });
    assert.equal(byName.DisplayName.UserLocalizedLabel.Label, "Changed");
    assert.equal((await named(name.toLowerCase())).length, 1);
    await client.deleteRecord({ collection: "EntityDefinitions", key: id });
    assert.deepEqual(await named(name.toLowerCase()), []);
});

test("columns are made, read, listed, cast and changed", async () => {
    const { id } = await makeTable("Dwcolumns");
    const made = await client.createAttribute({ entityKey: id, data: column("String", "new_Code", { MaxLength: 20, FormatName: { Value: "Text" } }) });
    assert.match(made, isId);
    const read = await client.retrieveAttribute({ entityKey: id, attributeKey: made, castType: `${NS}.StringAttributeMetadata` });
    assert.equal(read.MaxLength, 20);
    read.MaxLength = 40;
    await client.updateAttribute({ entityKey: id, data: read, castType: `${NS}.StringAttributeMetadata` });
    const listed = await client.retrieveAttributes({ entityKey: id, castType: `${NS}.StringAttributeMetadata`, select: ["LogicalName", "MaxLength"], filter: "LogicalName eq 'new_code'" });
    assert.deepEqual(listed.value.map((each) => each.MaxLength), [40]);
    await client.deleteRecord({ collection: "EntityDefinitions", key: id });
});

test("relationships are made, read, listed, changed and deleted", async () => {
    const { id, name } = await makeTable("Dwties");
    const schemaName = `new_account_${suffix}`;
    const made = await client.createRelationship({
        data: { "@odata.type": `${NS}.OneToManyRelationshipMetadata`, SchemaName: schemaName, ReferencedEntity: "account", ReferencingEntity: name.toLowerCase(), Lookup: { ...column("Lookup", "new_AccountId"), "@odata.type": `${NS}.LookupAttributeMetadata` } },
    });
    assert.match(made, isId);
    const castType = `${NS}.OneToManyRelationshipMetadata`;
    const read = await client.retrieveRelationship({ key: made, castType });
    assert.equal(read.SchemaName, schemaName);
    read.CascadeConfiguration = { ...read.CascadeConfiguration, Assign: "Cascade" };
    await client.updateRelationship({ data: read, castType });
    const listed = await client.retrieveRelationships({ castType, filter: `SchemaName eq '${schemaName}'` });
    assert.deepEqual(listed.value.map((each) => each.CascadeConfiguration.Assign), ["Cascade"]);
    await client.deleteRelationship({ key: made });
    await client.deleteRecord({ collection: "EntityDefinitions", key: id });
});

test("global choices are made, read, listed, changed and deleted", async () => {
    const name = `new_colour${suffix}`;
    const option = (value, text) => ({ Value: value, Label: label(text) });
    const made = await client.createGlobalOptionSet({ data: { "@odata.type": `${NS}.OptionSetMetadata`, Name: name, DisplayName: label("Colour"), OptionSetType: "Picklist", IsGlobal: true, Options: [option(100, "Red"), option(101, "Blue")] } });
    assert.match(made, isId);
    const castType = `${NS}.OptionSetMetadata`;
    const read = await client.retrieveGlobalOptionSet({ key: made, castType });
    assert.deepEqual(read.Options.map((each) => each.Value), [100, 101]);
    read.DisplayName = label("Colours");
    await client.updateGlobalOptionSet({ data: read, castType, mergeLabels: true });
    const listed = await client.retrieveGlobalOptionSets({ castType, select: ["Name"] });
    assert.ok(listed.value.some((each) => each.Name === name));
    await client.deleteGlobalOptionSet({ key: made });
    await assert.rejects(client.retrieveGlobalOptionSet({ key: made }), (error) => error.status === 404);
});

test("files go up and come back", async () => {
    const { id, name } = await makeTable("Dwfiles");
    await client.createAttribute({ entityKey: id, data: column("File", "new_Document", { MaxSizeInKB: 10240 }) });
    const [{ EntitySetName: collection }] = await named(name.toLowerCase());
    const key = await client.create({ collection, data: { new_title: "file" } });
    const data = Buffer.from(Array.from({ length: 5_000_000 }, (_, place) => place % 251));
    await client.uploadFile({ collection, key, property: "new_document", fileName: "data.bin", data });
    const found = await client.downloadFile({ collection, key, property: "new_document" });
    assert.equal(found.fileName, "data.bin");
    assert.ok(Buffer.from(found.data).equals(data));
    await client.deleteRecord({ collection, key, property: "new_document" });
    await client.deleteRecord({ collection: "EntityDefinitions", key: id });
});

test("the CSDL document, an instance of its own, another configuration", async () => {
    assert.match(await client.retrieveCsdlMetadata(), /<edmx:Edmx/);
    const other = client.initializeInstance();
    other.setConfig({ dataApi: { version: "9.1" } });
    assert.match((await other.callFunction({ name: "WhoAmI" })).UserId, isId);
});

test("what is not offered says so: search and operations in the background of others", async () => {
    const isRefused = (error) => [404, 501].includes(error.status) && error.message.length > 0;
    await assert.rejects(client.search({ query: { search: "x" } }), isRefused);
    await assert.rejects(client.query({ query: { search: "x" } }), isRefused);
    await assert.rejects(client.suggest({ query: { search: "x" } }), isRefused);
    await assert.rejects(client.autocomplete({ query: { search: "x" } }), isRefused);
    const nobody = "00000000-0000-0000-0000-00000000000f";
    await assert.rejects(client.getBackgroundOperationStatus(nobody), isRefused);
    await assert.rejects(client.cancelBackgroundOperation(nobody), isRefused);
});

test("every method of the client is tried", () => {
    const files = ["dynamics-web-api.test.mjs", "dynamics-web-api-surface.test.mjs"];
    const text = files.map((name) => fs.readFileSync(new URL(name, import.meta.url), "utf-8")).join("\n");
    const methods = Object.getOwnPropertyNames(client).filter((name) => typeof client[name] === "function");
    const missing = methods.filter((name) => !new RegExp(`\\b(client|other)\\.${name}\\(`).test(text));
    assert.deepEqual(missing, []);
});
