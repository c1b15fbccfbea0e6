// Reads a log with @mcap/core and protobufjs and compares every field of every
// message with what is expected.
//   usage: node compare_log.js LOG.mcap EXPECTED.json
"use strict";
const fs = require("fs");
const { McapIndexedReader, McapStreamReader } = require("@mcap/core");
const lz4 = require("@foxglove/wasm-lz4");
const zstd = require("@foxglove/wasm-zstd");
const protobuf = require("protobufjs");
require("protobufjs/ext/descriptor");
const { FileDescriptorSet } = require("protobufjs/ext/descriptor");

async function decompressors() {
  await Promise.all([lz4.isLoaded, zstd.isLoaded]);
  return {
    lz4: (data, size) => (lz4.default ?? lz4)(data, Number(size)),
    zstd: (data, size) => zstd.decompress(data, Number(size)),
  };
}

// Message decoders by schema id, each made of the schema's own bytes.
const types = new Map();
function decode(schema, data) {
  if (!types.has(schema.id)) {
    const root = protobuf.Root.fromDescriptor(FileDescriptorSet.decode(schema.data));
    types.set(schema.id, root.lookupType(schema.name));
  }
  const type = types.get(schema.id);
  return type.toObject(type.decode(data), { longs: String, enums: String, bytes: String });
}

// A file seen by the streaming reader: header, messages, metadata in order.
function readStream(bytes, decompressHandlers) {
  const reader = new McapStreamReader({ decompressHandlers, validateCrcs: true });
  reader.append(bytes);
  const seen = { messages: [], metadata: {} };
  const schemas = new Map();
  const channels = new Map();
  for (let record; (record = reader.nextRecord()); ) {
    if (record.type === "Header") seen.header = record;
    else if (record.type === "Schema") schemas.set(record.id, record);
    else if (record.type === "Channel") channels.set(record.id, record);
    else if (record.type === "Metadata") seen.metadata[record.name] = Object.fromEntries(record.metadata);
    else if (record.type === "Message") {
      const channel = channels.get(record.channelId);
      const schema = schemas.get(channel.schemaId);
      seen.messages.push({ topic: channel.topic, message: decode(schema, record.data) });
    }
  }
  if (!reader.done()) throw new Error("the reader wants more bytes");
  return seen;
}

// The same through the index.
async function readIndexed(bytes, decompressHandlers) {
  const readable = {
    size: async () => BigInt(bytes.length),
    read: async (offset, length) => bytes.subarray(Number(offset), Number(offset + length)),
  };
  const reader = await McapIndexedReader.Initialize({ readable, decompressHandlers });
  const messages = [];
  for await (const record of reader.readMessages({ validateCrcs: true })) {
    const channel = reader.channelsById.get(record.channelId);
    messages.push({ topic: channel.topic, message: decode(reader.schemasById.get(channel.schemaId), record.data) });
  }
  return messages;
}

// Protobuf's JSON and protobufjs write numbers differently: as text or not, and
// float32 with all its digits or few.  Numbers are equal as float32, or within
// the last digits of a double (sums may be added in any order).
function same(actual, wanted) {
  if (wanted !== null && typeof wanted === "object") {
    // A descriptor shows a map as what it is on the wire: a list of entries.
    if (Array.isArray(actual) && !Array.isArray(wanted))
      actual = Object.fromEntries(actual.map(({ key = "", value }) => [key, value ?? 0]));
    const keys = new Set([...Object.keys(wanted), ...Object.keys(actual ?? {})]);
    return [...keys].every((key) => same((actual ?? {})[key], wanted[key]));
  }
  if (actual === undefined || wanted === undefined) {
    // Set to its default in a message, or absent from it.
    const other = actual ?? wanted;
    return Number(other) === 0 || other === "" || (typeof other === "object" && Object.keys(other).length === 0);
  }
  if (String(actual) === String(wanted)) return true;
  const a = Number(actual);
  const b = Number(wanted);
  if (typeof actual === "string" && typeof wanted === "string" && /^-?\d+$/.test(wanted)) return false;
  return Math.fround(a) === Math.fround(b) || Math.abs(a - b) <= 1e-12 * Math.abs(b);
}

function compare(messages, expected, how) {
  if (messages.length !== expected.length)
    throw new Error(`${how}: ${messages.length} messages instead of ${expected.length}`);
  messages.forEach(({ topic, message }, i) => {
    const wanted = expected[i];
    for (const field of wanted.ignore) delete message[field];
    if (topic !== wanted.topic || !same(message, wanted.message)) {
      const show = (value) => JSON.stringify(value).slice(0, 2000);
      throw new Error(`${how}: message ${i} is\n${topic} ${show(message)}\ninstead of\n${wanted.topic} ${show(wanted.message)}`);
    }
  });
}

async function main([, , logPath, expectedPath]) {
  const bytes = new Uint8Array(fs.readFileSync(logPath));
  const expected = JSON.parse(fs.readFileSync(expectedPath, "utf8"));
  const handlers = await decompressors();
  const stream = readStream(bytes, handlers);
  if (stream.header.profile !== "exray") throw new Error(`profile ${stream.header.profile}`);
  for (const [key, value] of Object.entries(expected.metadata))
    if (stream.metadata.exray[key] !== value) throw new Error(`metadata ${key}: ${stream.metadata.exray[key]}`);
  compare(stream.messages, expected.messages, "stream reader");
  if (expected.indexed) compare(await readIndexed(bytes, handlers), expected.messages, "indexed reader");
  console.log(`${stream.messages.length} messages equal`);
}

main(process.argv).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
