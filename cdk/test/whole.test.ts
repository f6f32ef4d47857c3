// The app as a whole: clean under cdk-nag, and the same rooms for a server that plays AWS.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { Stack } from "aws-cdk-lib";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { checked, deployment } from "../src/deployment";
import { FUNCTIONS } from "../src/functions";
import { app, REPOSITORY, resources, templates, WHOLE } from "./synthesised";

const CDK = path.join(REPOSITORY, "cdk");

for (const given of [WHOLE, { mcpAuthorization: "iam", architecture: "x86_64", reservedConcurrency: "false" }]) {
  test(`every stack is clean under cdk-nag, without an account: ${Object.keys(given).join(", ")}`, () => {
    const { app: made, options } = app(given);
    deployment(made, options);
    checked(made);
    assert.doesNotThrow(() => made.synth());
    const report = fs.readFileSync(path.join(made.outdir, "validation-report.json"), "utf8");
    assert.doesNotMatch(report, /"conclusion": "failure"/);
  });
}

test("cdk-nag is there: a bare bucket is refused", () => {
  const { app: made } = app();
  new Bucket(new Stack(made, "bare"), "Bucket");
  checked(made);
  assert.throws(() => made.synth(), /Validation failed/);
  const report = fs.readFileSync(path.join(made.outdir, "validation-report.json"), "utf8");
  assert.match(report, /AwsSolutions-S1/);
  assert.match(report, /"conclusion": "failure"/);
});

test("every acknowledged finding has a reason", () => {
  const source = fs
    .readdirSync(path.join(CDK, "src", "rooms"))
    .map((file) => fs.readFileSync(path.join(CDK, "src", "rooms", file), "utf8"))
    .join("\n");
  const reasons = [...source.matchAll(/\b(?:AwsSolutions-)?(?:[A-Z]+\d+)(?:\[[^\]]+\])?"?:\s*("[^"]*")/g)].map(
    ([, reason]) => reason,
  );
  assert.ok(reasons.length >= 5);
  for (const reason of reasons) assert.ok((reason ?? "").length > 20, reason);
});

test("for a server that plays AWS the fleet is one stack of kinds that such servers have", () => {
  const emulated = templates({ emulator: "true", architecture: "x86_64" });
  assert.deepEqual(Object.keys(emulated), ["mlops"]);
  const template = emulated["mlops"]!.toJSON() as { Resources: Record<string, { Type: string }>; Rules?: unknown };
  assert.equal(template.Rules, undefined, "nothing asks for a bootstrapped account");
  const kinds = new Set(Object.values(template.Resources).map(({ Type }) => Type.split("::").slice(0, 2).join("::")));
  assert.deepEqual([...kinds].sort(), [
    "AWS::ApiGateway",
    "AWS::IAM",
    "AWS::KMS",
    "AWS::Lambda",
    "AWS::Logs",
    "AWS::S3",
    "AWS::SNS",
    "AWS::SecretsManager",
    "AWS::StepFunctions",
  ]);
});

test("the functions there are those of a deployment, but for the network and for streaming", () => {
  const functions = (all: ReturnType<typeof templates>): unknown[] =>
    resources(all, "AWS::Lambda::Function")
      .map(([, { Properties }]) => Properties)
      .filter(({ Runtime }) => Runtime === "provided.al2023")
      .map(({ FunctionName, MemorySize, Timeout, Environment }) => ({
        FunctionName,
        MemorySize,
        Timeout,
        settings: Object.keys(Environment.Variables as object).sort(),
      }))
      .sort((one, other) => (one.FunctionName < other.FunctionName ? -1 : 1));
  const deployed = functions(templates({ ...WHOLE, mcpStreaming: "false" }));
  assert.equal(deployed.length, FUNCTIONS.length);
  assert.deepEqual(functions(templates({ ...WHOLE, emulator: "true" })), deployed);
});
