// What the documents name is there: files, tests, options and secrets.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { SECRETS } from "../src/names";
import { read, REPOSITORY } from "./synthesised";

test("every file and every test that docs/security.md names is there", () => {
  const named = [...read("docs/security.md").matchAll(/`((?:lib|functions|tests|cdk)\/[^`]+)`/g)].map(
    ([, name]) => name ?? "",
  );
  assert.ok(named.length > 40);
  for (const name of named) {
    const [file = "", wanted] = name.split("::");
    assert.ok(fs.existsSync(path.join(REPOSITORY, file)), `there is no ${file}`);
    if (wanted === undefined) continue;
    const text = read(file);
    const forms = [`fn ${wanted}(`, `def ${wanted}(`, `test("${wanted}"`];
    assert.ok(
      forms.some((form) => text.includes(form)),
      `${file} has no ${wanted}`,
    );
  }
});

test("every file of the repository that docs/operations.md names is there", () => {
  for (const [, file] of read("docs/operations.md").matchAll(/`(cdk\/[\w./-]+)`/g)) {
    assert.ok(fs.existsSync(path.join(REPOSITORY, file ?? "")), `there is no ${file}`);
  }
});

test("docs/operations.md names every option and every secret", () => {
  const operations = read("docs/operations.md");
  const source = read("cdk/src/options.ts");
  const options = [...source.matchAll(/(?:matching|oneOf|yes|list|text)\(\s*"(\w+)"/g)].map(([, name]) => name ?? "");
  assert.ok(options.length > 12);
  for (const option of options) {
    if (option !== "emulator") assert.ok(operations.includes(option), `the option ${option} is not there`);
  }
  for (const secret of SECRETS) assert.ok(operations.includes(`\`${secret}\``), secret);
});
