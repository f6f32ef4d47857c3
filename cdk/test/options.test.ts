// What a deployment is told is checked, and errors name the option.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { deployment } from "../src/deployment";
import { app, WHOLE } from "./synthesised";

test("without options the fleet is for arm64, with keys for the MCP endpoint and without containers", () => {
  const { options } = app();
  assert.equal(options.architecture, "arm64");
  assert.equal(options.mcpAuthorization, "key");
  assert.equal(options.mcpStreaming, true);
  assert.equal(options.unifiedMcpServer, undefined);
  assert.deepEqual([options.prefix, options.natGateways, options.mailTo], ["mlops", 1, []]);
});

test("options are read", () => {
  const { options } = app({ ...WHOLE, architecture: "x86_64", mailTo: "a@example.com, b@example.com", lang: "ja" });
  assert.equal(options.architecture, "x86_64");
  assert.deepEqual(options.mailTo, ["a@example.com", "b@example.com"]);
  assert.deepEqual(options.unifiedMcpServer, { certificateArn: WHOLE.mcpCertificateArn, imageTag: "v1" });
});

for (const [name, value, expected] of [
  ["prefix", "My Fleet", /-c prefix must be 2 to 20 small letters/],
  ["architecture", "arm", /-c architecture must be arm64 or x86_64, and is "arm"/],
  ["emulator", "yes", /-c emulator must be true or false/],
  ["mcpAuthorization", "none", /-c mcpAuthorization must be key or iam/],
  ["natGateways", "0", /-c natGateways must be 1, 2 or 3/],
  ["mailFrom", "nobody", /-c mailFrom must be a mail address/],
  ["mailTo", "a@example.com,@", /-c mailTo must be mail addresses/],
  ["githubApp", "12", /-c githubApp must be two numbers/],
  ["githubApi", "api.github.com", /-c githubApi must be an http or https URL/],
  ["historyRepository", "models", /-c historyRepository must be owner\/name/],
  ["dataBuckets", "UPPER", /-c dataBuckets must be names of buckets/],
  ["lang", "fr", /-c lang must be en or ja/],
  ["mcpImageTag", "v1", /belong together/],
  ["mcpCertificateArn", "certificate", /-c mcpCertificateArn must be the ARN/],
] as const) {
  test(`-c ${name}=${value} is refused`, () => assert.throws(() => app({ [name]: value }), expected));
}

test("without the zips the error says how they are built", () => {
  const empty = fs.mkdtempSync(path.join(os.tmpdir(), "none-"));
  const { app: made, options } = app({ zips: empty });
  assert.throws(() => deployment(made, options), /issue-detector.bootstrap\.zip: run `make zips` first/);
  fs.rmdirSync(empty);
});
