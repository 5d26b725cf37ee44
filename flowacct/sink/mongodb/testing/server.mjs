// A server that speaks MongoDB's wire protocol, for tests: CongoServer (see fetch_server) over a journal, so that it
// can be killed and started again.
//
//   node server.mjs PACKAGES FOLDER [mongos]
//
// PACKAGES is what fetch_server printed. Data lie in FOLDER/journal: BSON documents, one a change, written before the
// change is answered. The port is chosen by the kernel and written to FOLDER/port once it listens; if that file is
// there already, it is used again. With "mongos" it says that it is a router of shards, and keeps what it is told to
// shard, in admin.sharded. The command {cutConnections: N, after: BOOLEAN} cuts all connections at the N-th next command
// (from 0), before it is executed, or after it, instead of its answer.

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [packages, folder, role] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(path.join(packages, 'node_modules', file)));
const bson = await load('bson/index.js');
const congo = '@push.rocks/smartmongo/dist_ts/congodb';
const { CongoServer } = await load(`${congo}/server/CongoServer.js`);
const { CommandRouter } = await load(`${congo}/server/CommandRouter.js`);
const { MemoryStorageAdapter } = await load(`${congo}/storage/MemoryStorageAdapter.js`);

// Octets compare by their hexadecimal digits, and any _id has a key.
bson.Binary.prototype.toString = function () { return Buffer.from(this.value()).toString('hex'); };
const keyOf = (id) =>
  id instanceof bson.ObjectId ? id.toString('hex') : Buffer.from(bson.serialize({ id })).toString('hex');
for (const prototype of [Object.prototype, String.prototype, Number.prototype]) {
  const value = function () { return keyOf(this.valueOf()); };
  Object.defineProperty(prototype, 'toHexString', { value, configurable: true, writable: true });
}

BigInt.prototype.toJSON = function () { return this.toString(); };

class Journal extends MemoryStorageAdapter {
  #file = path.join(folder, 'journal');
  #pending = [];
  #fd = -1;

  open() {
    const octets = fs.existsSync(this.#file) ? fs.readFileSync(this.#file) : Buffer.alloc(0);
    let at = 0;
    while (at + 4 <= octets.length && at + octets.readInt32LE(at) <= octets.length) {
      const end = at + octets.readInt32LE(at);
      this.#apply(bson.deserialize(octets.subarray(at, end)));
      at = end;
    }
    // What was being written when it was killed was not answered.
    fs.truncateSync(this.#file, at);
    this.#fd = fs.openSync(this.#file, 'a');
  }
  flush() {
    if (this.#pending.length > 0) fs.writeSync(this.#fd, Buffer.concat(this.#pending));
    this.#pending = [];
  }
  #apply({ op, db, coll, doc, name }) {
    const collection = this.ensureCollection(db, coll);
    if (op === 'put') collection.set(doc._id.toHexString(), doc);
    if (op === 'delete') collection.delete(name);
    if (op === 'drop') this.databases.get(db).delete(coll);
    if (op === 'index') super.saveIndex(db, coll, name, doc);
  }
  #note(change) { this.#pending.push(Buffer.from(bson.serialize(change))); }

  async insertOne(db, coll, doc) {
    const collection = this.ensureCollection(db, coll);
    const key = doc._id.toHexString();
    if (collection.has(key)) throw new Error(`Duplicate key error: _id ${key}`);
    collection.set(key, doc);
    this.#note({ op: 'put', db, coll, doc });
    return doc;
  }
  async updateById(db, coll, id, doc) {
    this.ensureCollection(db, coll).set(id.toHexString(), doc);
    this.#note({ op: 'put', db, coll, doc });
    return true;
  }
  async deleteById(db, coll, id) {
    this.#note({ op: 'delete', db, coll, name: id.toHexString() });
    return this.ensureCollection(db, coll).delete(id.toHexString());
  }
  async dropCollection(db, coll) {
    this.#note({ op: 'drop', db, coll });
    return super.dropCollection(db, coll);
  }
  async saveIndex(db, coll, name, doc) {
    this.#note({ op: 'index', db, coll, name, doc });
    return super.saveIndex(db, coll, name, doc);
  }
}

const portFile = path.join(folder, 'port');
if (!fs.existsSync(path.join(folder, 'journal'))) fs.writeFileSync(path.join(folder, 'journal'), '');
const server = new CongoServer({ port: fs.existsSync(portFile) ? Number(fs.readFileSync(portFile)) : 0 });
const storage = new Journal();
storage.open();
const router = new CommandRouter(storage, server);
const route = router.route.bind(router);
let cut = null;
router.route = async (command) => {
  const name = command.commandName;
  if (name === 'cutConnections') {
    cut = { skip: command.command.cutConnections, answered: command.command.after };
    return { ok: 1 };
  }
  const cuts = cut !== null && name !== 'hello' && name !== 'endSessions' && name !== 'killCursors' && cut.skip-- === 0;
  if (cuts) {
    const executes = cut.answered;
    cut = null;
    if (executes) await route(command);
    storage.flush();
    for (const connection of server.connections.values()) connection.socket.destroy();
    return { ok: 0 };
  }
  if (role === 'mongos' && (name === 'shardCollection' || name === 'enableSharding')) {
    await storage.insertOne('admin', 'sharded', { _id: new bson.ObjectId(), ...command.command });
    storage.flush();
    return { ok: 1 };
  }
  const answer = await route(command);
  if (role === 'mongos' && /^(hello|ismaster)$/i.test(name)) answer.msg = 'isdbgrid';
  storage.flush();
  return answer;
};
server.storage = storage;
server.commandRouter = router;
await server.start();
fs.writeFileSync(`${portFile}.new`, String(server.server.address().port));
fs.renameSync(`${portFile}.new`, portFile);
