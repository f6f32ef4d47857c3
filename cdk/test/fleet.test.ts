// The functions, the state machines and what is seen of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Match } from "aws-cdk-lib/assertions";
import { FUNCTIONS } from "../src/functions";
import { MACHINES } from "../src/names";
import { read, resources, statements, templates, WHOLE } from "./synthesised";

const all = templates();

test("each function has its memory, its time, its share of executions and its traces", () => {
  for (const { name, memory, timeout, concurrency } of FUNCTIONS) {
    all["fleet"]!.hasResourceProperties("AWS::Lambda::Function", {
      FunctionName: `mlops-${name}`,
      Runtime: "provided.al2023",
      Handler: "bootstrap",
      Architectures: ["arm64"],
      MemorySize: memory,
      Timeout: timeout,
      ReservedConcurrentExecutions: concurrency,
      TracingConfig: { Mode: "Active" },
      KmsKeyArn: Match.anyValue(),
    });
  }
  const total = FUNCTIONS.reduce((sum, { concurrency }) => sum + concurrency, 0);
  assert.ok(total <= 900, "Lambda keeps 100 of an account's 1,000 executions for functions without a share");
});

test("x86_64 is one option away, and a small account reserves nothing", () => {
  const fleet = { fleet: templates({ architecture: "x86_64", reservedConcurrency: "false" })["fleet"]! };
  for (const [id, { Properties }] of resources(fleet, "AWS::Lambda::Function")) {
    assert.deepEqual(Properties.Architectures, ["x86_64"], id);
    assert.equal(Properties.ReservedConcurrentExecutions, undefined, id);
  }
});

test("functions that others call without waiting tell when they fail for good", () => {
  const asynchronous = resources(all, "AWS::Lambda::EventInvokeConfig");
  assert.equal(asynchronous.length, 2, "the two of the secrets; the fleet is called by who waits");
  for (const [id, { Properties }] of asynchronous) {
    assert.match(JSON.stringify(Properties.DestinationConfig.OnFailure.Destination), /mlops-operators/, id);
  }
});

test("the code of a function may not touch network interfaces, though Lambda may in its name", () => {
  const denied = statements({ fleet: all["fleet"]! }).filter(([, { Effect }]) => Effect === "Deny");
  assert.equal(denied.length, FUNCTIONS.length);
  for (const [id, { Condition }] of denied) {
    assert.ok(Condition?.["ArnEquals"]?.["lambda:SourceFunctionArn"], id);
  }
});

test("the state machines are the files of statemachine/, logged without their data and traced", () => {
  for (const machine of MACHINES) {
    const file: unknown = JSON.parse(read(`statemachine/${machine}.asl.json`));
    const found = resources(all, "AWS::StepFunctions::StateMachine").find(
      ([, { Properties }]) => Properties.StateMachineName === `mlops-${machine}`,
    )?.[1].Properties;
    assert.deepEqual(JSON.parse(found.DefinitionString), file);
    assert.equal(found.StateMachineType, "STANDARD");
    assert.deepEqual(found.TracingConfiguration, { Enabled: true });
    assert.equal(found.LoggingConfiguration.Level, "ALL");
    assert.equal(found.LoggingConfiguration.IncludeExecutionData, false);
    const placeholders = new Set([...found.DefinitionString.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name));
    assert.deepEqual(Object.keys(found.DefinitionSubstitutions).sort(), [...placeholders].sort());
  }
});

test("a state machine may call the functions that its file names, and no other", () => {
  const called = (machine: string): string[] =>
    statements({ workflow: all["workflow"]! })
      .filter(([id, { Action }]) => id.includes(machine) && Action === "lambda:InvokeFunction")
      .flatMap(([, { Resource }]) =>
        [...JSON.stringify(Resource).matchAll(/Fleet([a-z]+)/g)].map(([, name]) => name ?? ""),
      )
      .sort();
  assert.deepEqual([...new Set(called("rollback"))], ["notification", "rollback"]);
  assert.equal(new Set(called("training")).size, 8);
});

test("there is an alarm for each function and machine, and each rings with those who operate the fleet", () => {
  const alarms = resources(all, "AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties);
  const names = alarms.map(({ AlarmName }) => AlarmName as string);
  for (const { name } of FUNCTIONS) {
    for (const of of ["errors", "throttles", "duration"])
      assert.ok(names.includes(`mlops-${name}-${of}`), `${name} ${of}`);
  }
  for (const machine of MACHINES) {
    for (const of of ["failed", "timed-out", "throttled"]) assert.ok(names.includes(`mlops-${machine}-${of}`), machine);
  }
  const guide = read("docs/operations.md");
  for (const { AlarmName, AlarmActions, OKActions } of alarms) {
    assert.match(JSON.stringify(AlarmActions), /Operators/, AlarmName);
    assert.deepEqual(AlarmActions, OKActions, AlarmName);
    const kind = (AlarmName as string)
      .replace(/^mlops-/, "")
      .replace(/^(?!api)(.*)-(errors|throttles|duration|failed|timed-out|throttled)$/, "$2");
    assert.ok(guide.includes(`\`${kind}\``), `docs/operations.md says nothing of ${kind}`);
  }
  all["observability"]!.hasResourceProperties("AWS::CloudWatch::Dashboard", { DashboardName: "mlops" });
});

test("people who operate the fleet are told by mail when an address is given", () => {
  all["messages"]!.hasResourceProperties("AWS::SNS::Subscription", { Protocol: "email", Endpoint: WHOLE.operatorMail });
  assert.equal(resources(templates({}), "AWS::SNS::Subscription").length, 0);
});

test("what was kept stays when a stack is deleted", () => {
  for (const type of ["AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret", "AWS::ECR::Repository"]) {
    for (const [id, { DeletionPolicy }] of resources(all, type)) assert.match(DeletionPolicy ?? "", /^Retain/, id);
  }
});

test("half-made uploads and replaced objects go away", () => {
  for (const [id, { Properties }] of resources(all, "AWS::S3::Bucket")) {
    const rules = Properties.LifecycleConfiguration.Rules as Record<string, unknown>[];
    assert.ok(
      rules.some(({ AbortIncompleteMultipartUpload }) => AbortIncompleteMultipartUpload),
      id,
    );
  }
  all["storage"]!.hasResourceProperties("AWS::S3::Bucket", {
    BucketName: Match.anyValue(),
    VersioningConfiguration: { Status: "Enabled" },
    LoggingConfiguration: Match.anyValue(),
    LifecycleConfiguration: {
      Rules: Match.arrayWith([Match.objectLike({ NoncurrentVersionExpiration: { NoncurrentDays: 90 } })]),
    },
  });
});
