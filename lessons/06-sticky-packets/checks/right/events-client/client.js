// Promises and an iterator over what comes: Node.
const net = require("node:net");
const fs = require("node:fs");
const path = require("node:path");
const crypto = require("node:crypto");
const readline = require("node:readline");

const FOLDER = process.env.FOLDER;
const LIMIT = 65536;
const fail = (text) => { throw new Error(text); };

const call = net.connect(Number(process.env.PORT), process.env.HOST);
let buffer = Buffer.alloc(0);
let pieces;

async function some(what) {
  if (buffer.length === 0) {
    const { value, done } = await pieces.next();
    if (done) fail(`end of stream in the middle of ${what}`);
    buffer = value;
  }
}
async function exactly(count, what) {
  const parts = [];
  while (count > 0) {
    await some(what);
    const part = buffer.subarray(0, count);
    buffer = buffer.subarray(part.length);
    count -= part.length;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
async function ask(request) {
  const body = Buffer.from(JSON.stringify(request));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  call.write(Buffer.concat([length, body]));
  const size = (await exactly(4, "an answer")).readUInt32BE();
  if (size > LIMIT) fail(`a header of ${size} bytes is too long`);
  return JSON.parse((await exactly(size, "an answer")).toString());
}
async function save(header, name) {
  const temporary = path.join(FOLDER, ".part");
  const hash = crypto.createHash("sha256");
  const file = fs.openSync(temporary, "w");
  try {
    for (let left = header.size; left > 0; ) {
      await some("a file");
      const part = buffer.subarray(0, left);
      buffer = buffer.subarray(part.length);
      left -= part.length;
      fs.writeSync(file, part);
      hash.update(part);
    }
    if (hash.digest("hex") !== header.sha256) fail("the digest is wrong");
    fs.renameSync(temporary, path.join(FOLDER, name));
  } finally {
    fs.closeSync(file);
    fs.rmSync(temporary, { force: true });
  }
}
async function main() {
  await new Promise((resolve, reject) => call.once("connect", resolve).once("error", reject));
  pieces = call[Symbol.asyncIterator]();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [word, ...rest] = line.trim().split(" ");
    const name = rest.join(" ");
    const header = await ask(word === "list" ? { request: "list" } : { request: "get", name });
    if (header.status !== "ok") {
      console.log("refused:", header.reason);
      process.exitCode = 1;
    } else if (word === "list") console.log((await exactly(header.size, "a list")).toString());
    else await save(header, name);
  }
  call.end();
}
main().catch((error) => {
  console.error(error.message || String(error));
  process.exitCode = 1;
  call.destroy();
});
