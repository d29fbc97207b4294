// What the Node scripts share: tests run one after the other on emptied servers, each with a time
// limit; none stops the others, and the last line counts them.
"use strict";
const Redis = require("ioredis");

const LIMIT_MS = 40000;
/** The servers under test: the script's first argument, `host:port,host:port,..`. */
const servers = process.argv[2].split(",").map((server) => {
  const [, host, port] = server.match(/^(.*):(\d+)$/);
  return { host, port: Number(port) };
});
const open = new Set();

/** A client of a server; it is closed when the script ends. A call that is never answered fails. */
function connect(options = {}, server = servers[0]) {
  const client = new Redis({ ...server, commandTimeout: 20000, ...options });
  client.on("error", () => {});
  open.add(client);
  return client;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `condition` holds; fails if it never does. */
async function eventually(condition, limit = 5000) {
  for (const end = Date.now() + limit; !(await condition()); await sleep(10)) {
    if (Date.now() > end) throw new Error("it never came true");
  }
}

/** Waits for an event of an emitter; gives its arguments. */
const event = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));

async function main(name, tests) {
  let passed = 0;
  let failed = 0;
  for (const [what, test] of Object.entries(tests)) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done after ${LIMIT_MS} ms`)), LIMIT_MS);
    });
    try {
      for (const server of servers) await connect({}, server).flushall();
      await Promise.race([test(), late]);
      passed += 1;
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}: ${what}\n${error.stack}`);
    } finally {
      clearTimeout(timer);
      for (const client of open) client.disconnect();
      open.clear();
    }
  }
  console.log(`${name}: ${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

module.exports = { connect, event, eventually, main, servers, sleep };
