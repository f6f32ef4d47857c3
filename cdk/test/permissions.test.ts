// The table of permissions is that of the tools that are there, and what comes of it is no more than it says.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { AGENTS, FUNCTIONS, MCP, needsOf, substitutionOf } from "../src/functions";
import { capabilityOf, NEEDS, TOOLS } from "../src/permissions";
import { SECRETS } from "../src/names";
import { ACTIONS } from "../src/tables/needs";
import { calledBy, definitionOf } from "../src/rooms/workflow";
import { list, read, REPOSITORY, resources, statements, templates, WHOLE } from "./synthesised";

const all = templates();
const folders = (place: string): string[] => fs.readdirSync(path.join(REPOSITORY, place)).sort();
/** `get_object` → `GetObject`. */
const struct = (words: string): string =>
  words
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");

test("the table has every tool of lib/capabilities, in its room, and no other", () => {
  const rooms = folders("lib/capabilities");
  const found = rooms.map((room) => [
    room,
    folders(`lib/capabilities/${room}/src/tools`)
      .filter((file) => file.endsWith(".rs") && file !== "mod.rs" && !file.endsWith("_tests.rs"))
      .map((file) => file.replace(".rs", ""))
      .filter((tool) => read(`lib/capabilities/${room}/src/tools/mod.rs`).includes(`mod ${tool};`)),
  ]);
  const written = Object.entries(TOOLS).map(([room, tools]) => [room, Object.keys(tools).sort()] as const);
  assert.deepEqual(Object.fromEntries(written), Object.fromEntries(found));
});

test("the table has every function of functions/ but the command line", () => {
  const names = FUNCTIONS.map(({ name }) => name).sort();
  const inRust = folders("functions").filter((name) =>
    read(`functions/${name}/Cargo.toml`).includes(`name = "${name}"\npath`),
  );
  assert.deepEqual(names, inRust);
});

test("a function may use the tools of the rooms that its manifest links, and each of its rooms has one", () => {
  for (const { name, tools } of AGENTS) {
    const manifest = read(`functions/${name}/Cargo.toml`).split("[dev-dependencies]")[0] ?? "";
    const linked = Object.keys(TOOLS).filter((room) =>
      new RegExp(`^mlops-${room.replaceAll("_", "-")}(\\.workspace| = )`, "m").test(manifest),
    );
    const used = [...new Set(tools.map(capabilityOf))].sort();
    assert.deepEqual(used, linked.sort(), name);
  }
  assert.deepEqual([...MCP.tools].sort(), [...NEEDS.keys()].sort());
});

test("an agent may use exactly the tools that its source names", () => {
  for (const { name, tools } of AGENTS) {
    const folder = path.join(REPOSITORY, "functions", name, "src");
    const files = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
    const source = files
      .filter((file) => file.endsWith(".rs") && !file.endsWith("tests.rs"))
      .map((file) => fs.readFileSync(path.join(folder, file), "utf8"))
      .join("\n");
    const named = [...NEEDS.keys()].filter((tool) => new RegExp(`\\b${struct(tool)}\\b`).test(source));
    assert.deepEqual([...tools].sort(), named.sort(), name);
  }
});

test("every need is met by actions of the table alone", () => {
  const known = new Set<string>(Object.values(ACTIONS).flat());
  const attached = /^(logs:(CreateLogStream|PutLogEvents)|xray:Put(TraceSegments|TelemetryRecords)|ec2:)/;
  for (const [id, statement] of statements({ fleet: all["fleet"]! })) {
    for (const action of list(statement.Action))
      assert.ok(known.has(action) || attached.test(action), `${id}: ${action}`);
  }
});

/** The calls of the adapters that go by another name in IAM; the others go by their own. */
const IN_IAM: Record<string, string> = {
  HeadObject: "GetObject",
  ListObjectsV2: "ListBucket",
  CreateMultipartUpload: "PutObject",
  UploadPart: "PutObject",
  CompleteMultipartUpload: "PutObject",
};

test("the actions of the table are those that the adapters call, and no other", () => {
  const services = { s3: "s3", stepfunctions: "states", sns: "sns", ses: "ses", secretsmanager: "secretsmanager" };
  const called = Object.entries(services).flatMap(([adapter, service]) => {
    const place = `lib/adapters/aws-${adapter}/src`;
    const sources = folders(place).filter((file) => file.endsWith(".rs") && !/_tests|stand_in/.test(file));
    const source = sources.map((file) => read(`${place}/${file}`)).join("\n");
    const verbs = "abort|complete|create|delete|describe|get|head|list|put|redrive|send|start|stop|update|upload";
    const words = [...source.matchAll(new RegExp(`\\.\\s*((?:${verbs})_[a-z0-9_]+|publish)\\(\\)`, "g"))];
    const names = words.map(([, word]) => struct(word ?? "")).filter((name) => !/(Id|Date|Count)$/.test(name));
    return names.map((name) => `${service}:${IN_IAM[name] ?? name}`);
  });
  const byServices = ["kms:Decrypt", "kms:GenerateDataKey", "s3:GetObjectVersion"];
  const written = [...new Set<string>(Object.values(ACTIONS).flat())].filter((action) => !byServices.includes(action));
  assert.deepEqual(written.sort(), [...new Set(called)].sort());
});

test("what a function writes it may also read, since it swaps only what it has read", () => {
  for (const spec of FUNCTIONS) {
    const needs = needsOf(spec);
    const places = (kind: string): Set<string> =>
      new Set(needs.flatMap((need) => (need.kind === kind && "folder" in need ? [need.folder] : [])));
    for (const folder of places("write")) assert.ok(places("read").has(folder), `${spec.name} writes ${folder} unread`);
    for (const folder of places("delete")) assert.ok(places("write").has(folder), `${spec.name} deletes in ${folder}`);
  }
});

test("only processed tables, deliveries and jobs may be deleted", () => {
  const deleted = FUNCTIONS.flatMap((spec) =>
    needsOf(spec).flatMap((need) => (need.kind === "delete" ? [`${spec.name} ${need.folder}`] : [])),
  );
  assert.deepEqual([...new Set(deleted)].sort(), [
    "data-preparation processed",
    "issue-detector deliveries",
    "mcp jobs",
    "mcp processed",
  ]);
});

test("only who asks for approvals and who takes the answers reach them", () => {
  const reach = (kind: string): string[] =>
    FUNCTIONS.filter((spec) =>
      needsOf(spec).some((need) => need.kind === kind && "folder" in need && need.folder === "approvals"),
    )
      .map(({ name }) => name)
      .sort();
  assert.deepEqual(reach("read"), ["issue-detector", "notification"]);
  assert.deepEqual(reach("write"), ["issue-detector", "notification"]);
});

test("each secret is read by who needs it and by nobody else", () => {
  const readers = Object.fromEntries(
    SECRETS.map((secret) => [
      secret,
      FUNCTIONS.filter((spec) => needsOf(spec).some((need) => need.kind === "secret" && need.secret === secret)).map(
        ({ name }) => name,
      ),
    ]),
  );
  assert.deepEqual(readers["mlops/mcp-api-key"], ["mcp"]);
  assert.deepEqual(readers["mlops/github-webhook-secret"], ["issue-detector", "mcp"]);
  assert.deepEqual(readers["mlops/github-token"], [
    "issue-detector",
    "planner",
    "notification",
    "history-writer",
    "mcp",
  ]);
});

test("who takes deliveries of strangers reaches no data, and who looks at data starts nothing", () => {
  const kinds = (name: string): Set<string> => {
    const spec = AGENTS.find((one) => one.name === name);
    assert.ok(spec, name);
    return new Set(needsOf(spec).map((need) => ("folder" in need ? `${need.kind} ${need.folder}` : need.kind)));
  };
  const [detector, planner] = [kinds("issue-detector"), kinds("planner")];
  for (const need of ["tables", "read data", "read processed"]) {
    assert.ok(!detector.has(need) && planner.has(need), need);
  }
  for (const need of ["start", "steer", "write approvals"]) assert.ok(detector.has(need) && !planner.has(need), need);
});

test("mail is sent from one address alone, and not at all without one", () => {
  const senders = (given: Record<string, string>): string[] =>
    statements({ fleet: templates(given)["fleet"]! })
      .filter(([, { Action }]) => list(Action).includes("ses:SendRawEmail"))
      .map(([, { Condition }]) => JSON.stringify(Condition));
  const condition = JSON.stringify({ StringEquals: { "ses:FromAddress": WHOLE.mailFrom } });
  assert.deepEqual(senders(WHOLE), [condition, condition]); // notification and mcp
  const { mailFrom: _, ...silent } = WHOLE;
  assert.deepEqual(senders(silent), []);
});

test("the environment of the functions holds settings that the fleet reads", () => {
  const settings = read("lib/core/src/settings.rs") + read("lib/core/src/settings/cloud.rs");
  for (const [id, { Properties }] of resources({ fleet: all["fleet"]! }, "AWS::Lambda::Function")) {
    const names = Object.keys(Properties.Environment.Variables as object);
    assert.ok(names.includes("MLOPS_STORE"), id);
    for (const name of names) assert.ok(settings.includes(`name: "${name}"`), `${id}: ${name}`);
  }
});

test("the state machines call functions that are there, and wait no less than those take", () => {
  for (const machine of ["training", "rollback"] as const) {
    const definition = definitionOf(machine);
    for (const placeholder of calledBy(definition)) {
      const spec = AGENTS.find(({ name }) => substitutionOf(name) === placeholder);
      assert.ok(spec, `${machine} calls ${placeholder}`);
      const states = Object.values((JSON.parse(definition) as { States: Record<string, State> }).States);
      const calls = states.filter((state) => state.Arguments?.FunctionName === `\${${placeholder}}`);
      const waits = calls
        .filter((state) => !state.Resource?.endsWith("waitForTaskToken"))
        .map((state) => state.TimeoutSeconds);
      assert.ok(
        spec.timeout >= Math.max(...waits),
        `${spec.name} has ${spec.timeout} s, and is given ${waits.join(", ")}`,
      );
    }
  }
});

interface State {
  readonly Resource?: string;
  readonly Arguments?: { readonly FunctionName?: string };
  readonly TimeoutSeconds: number;
}
