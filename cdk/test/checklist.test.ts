// The checklists of the design document's §9.7, one test a line, in their order.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Match } from "aws-cdk-lib/assertions";
import { FUNCTIONS } from "../src/functions";
import { SECRETS } from "../src/names";
import { list, read, resources, statements, templates } from "./synthesised";

const all = templates();
const properties = (type: string): [string, Record<string, any>][] =>
  resources(all, type).map(([id, { Properties }]) => [id, Properties]);

test("§9.7 before implementation: IAM roles follow least privilege", () => {
  // What knows no resource: tracing, network interfaces of Lambda, log deliveries, and the token of a registry.
  const unscoped = /^(xray|ec2|logs):|^ecr:GetAuthorizationToken$/;
  for (const [id, statement] of statements(all)) {
    for (const action of list(statement.Action)) {
      assert.ok(!action.includes("*"), `${id} allows ${action}`);
      if (list(statement.Resource).includes("*")) assert.match(action, unscoped, id);
    }
  }
  const roles = properties("AWS::Lambda::Function").map(([, { Role }]) => JSON.stringify(Role));
  assert.equal(new Set(roles).size, roles.length, "each function has a role of its own");
  const managed = properties("AWS::IAM::Role").filter(([, { ManagedPolicyArns }]) => ManagedPolicyArns !== undefined);
  assert.deepEqual(
    managed.map(([id]) => id.split("/")[0]),
    ["api"],
    "only the gateway's log role has a policy of AWS",
  );
  assert.equal(properties("AWS::IAM::ManagedPolicy").length, 0);
  const passing = statements(all).filter(([, { Action }]) => list(Action).includes("iam:PassRole"));
  assert.deepEqual(passing, [], "no function starts anything under another role");
});

test("§9.7 before implementation: all secrets are in Secrets Manager", () => {
  const found = properties("AWS::SecretsManager::Secret");
  assert.deepEqual(found.map(([, { Name }]) => Name).sort(), [...SECRETS].sort());
  for (const [id, { KmsKeyId, SecretString }] of found) {
    assert.ok(KmsKeyId, `${id} is encrypted with the fleet's key`);
    assert.equal(SecretString, undefined, `${id} has no value in the template`);
  }
  for (const [id, { Environment }] of properties("AWS::Lambda::Function")) {
    for (const [name, value] of Object.entries((Environment?.Variables ?? {}) as object)) {
      assert.doesNotMatch(name, /TOKEN|PASSWORD|_KEY$(?<!KMS_KEY)/, `${id}: ${name}`);
      assert.doesNotMatch(JSON.stringify(value), /resolve:secretsmanager/, `${id}: ${name}`);
    }
  }
});

test("§9.7 before implementation: resources are placed in private subnets of a VPC", () => {
  const isPrivate = (reference: unknown): boolean => /privateSubnet/i.test(JSON.stringify(reference));
  const functions = properties("AWS::Lambda::Function").filter(([id]) => id.startsWith("fleet/"));
  assert.equal(functions.length, FUNCTIONS.length);
  for (const [id, { VpcConfig }] of functions) {
    assert.equal(VpcConfig.SubnetIds.length, 2, id);
    assert.ok(VpcConfig.SubnetIds.every(isPrivate), id);
  }
  const [[, service] = []] = properties("AWS::ECS::Service");
  const { AssignPublicIp, Subnets } = service?.["NetworkConfiguration"].AwsvpcConfiguration;
  assert.equal(AssignPublicIp, "DISABLED");
  assert.ok(Subnets.length === 2 && Subnets.every(isPrivate));
  const [[, balancer] = []] = properties("AWS::ElasticLoadBalancingV2::LoadBalancer");
  assert.equal(balancer?.["Scheme"], "internal");
  for (const [id, { MapPublicIpOnLaunch }] of properties("AWS::EC2::Subnet")) assert.ok(!MapPublicIpOnLaunch, id);
});

test("§9.7 before implementation: security groups open the least ports (§9.4: 8080 to the server, 443 out)", () => {
  const groups = properties("AWS::EC2::SecurityGroup");
  const rule = ({ IpProtocol, FromPort, ToPort, CidrIp }: Record<string, unknown>): string =>
    `${String(IpProtocol)} ${String(FromPort)}-${String(ToPort)} ${String(CidrIp ?? "group")}`;
  for (const [id, { SecurityGroupIngress, SecurityGroupEgress, GroupDescription }] of groups) {
    assert.deepEqual(list(SecurityGroupIngress), [], `${id} lets in nobody by address`);
    const out = list(SecurityGroupEgress as Record<string, unknown>[]).map(rule);
    const nothing = ["icmp 252-86 255.255.255.255/32"];
    const expected = ["The functions", "The unified MCP server"].includes(GroupDescription)
      ? ["tcp 443-443 0.0.0.0/0"]
      : nothing;
    const isBalancer = GroupDescription === "The load balancer of the unified MCP server";
    assert.deepEqual(out, isBalancer && out.length === 0 ? [] : expected, GroupDescription);
  }
  const between = (type: string): string[] =>
    properties(type)
      .map(([, found]) => `${rule(found)} ${found["Description"]}`)
      .sort();
  assert.deepEqual(between("AWS::EC2::SecurityGroupIngress"), [
    "tcp 443-443 group AWS APIs",
    "tcp 443-443 group AWS APIs",
    "tcp 443-443 group MCP over TLS, from the functions",
    "tcp 8080-8080 group MCP, from the load balancer",
  ]);
  assert.deepEqual(between("AWS::EC2::SecurityGroupEgress"), ["tcp 8080-8080 group MCP behind the end of TLS"]);
});

test("§9.7 before deployment: the bucket is encrypted with SSE-KMS (§9.2: other uploads are refused)", () => {
  const [, bucket] = properties("AWS::S3::Bucket").find(([, { BucketName }]) => BucketName !== undefined) ?? [];
  const [encryption] = bucket?.["BucketEncryption"].ServerSideEncryptionConfiguration;
  assert.equal(encryption.ServerSideEncryptionByDefault.SSEAlgorithm, "aws:kms");
  assert.ok(encryption.ServerSideEncryptionByDefault.KMSMasterKeyID);
  all["storage"]!.hasResourceProperties("AWS::KMS::Key", { EnableKeyRotation: true });
  all["storage"]!.hasResourceProperties("AWS::S3::BucketPolicy", {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: "Deny",
          Principal: { AWS: "*" },
          Action: "s3:PutObject",
          Condition: { StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } },
        }),
        Match.objectLike({
          Effect: "Deny",
          Principal: { AWS: "*" },
          Action: "s3:PutObject",
          Condition: {
            StringNotEqualsIfExists: { "s3:x-amz-server-side-encryption-aws-kms-key-id": Match.anyValue() },
          },
        }),
      ]),
    },
  });
});

test("§9.7 before deployment: CloudTrail is enabled (§9.5: validated, encrypted, kept for 90 days)", () => {
  all["storage"]!.hasResourceProperties("AWS::CloudTrail::Trail", {
    IsLogging: true,
    EnableLogFileValidation: true,
    IsMultiRegionTrail: true,
    KMSKeyId: Match.anyValue(),
    EventSelectors: [
      { IncludeManagementEvents: true, ReadWriteType: "All" },
      Match.objectLike({ DataResources: [Match.objectLike({ Type: "AWS::S3::Object" })] }),
    ],
  });
  const [, kept] = properties("AWS::S3::Bucket").find(([id]) => id.startsWith("storage/Audit")) ?? [];
  assert.deepEqual(kept?.["LifecycleConfiguration"].Rules[0].ExpirationInDays, 90);
});

test("§9.7 before deployment: the VPC endpoints are there (§9.4: s3, secretsmanager, sagemaker.api, logs)", () => {
  const endpoints = properties("AWS::EC2::VPCEndpoint").map(([, { VpcEndpointType, ServiceName }]) => {
    const service = JSON.stringify(ServiceName).match(/(s3|secretsmanager|sagemaker\.api|logs)"?/)?.[1];
    return `${service} ${VpcEndpointType}`;
  });
  assert.deepEqual(endpoints.sort(), [
    "logs Interface",
    "s3 Gateway",
    "sagemaker.api Interface",
    "secretsmanager Interface",
  ]);
});

const workflows = (): string => read(".github/workflows/ci.yml") + read(".github/workflows/supply-chain.yml");

test("§9.7 before deployment: dependencies pass a scan for vulnerabilities (§9.6: with every pull request)", () => {
  assert.match(workflows(), /bash \.ci\/run/);
  const scans = read(".github/workflows/supply-chain.yml");
  assert.match(scans, /pull_request:/);
  assert.match(scans, /cargo audit/);
  assert.match(scans, /npm audit --audit-level=high/);
});

test("§9.7 before deployment: the Docker image passes a scan for vulnerabilities (§9.6: when it is pushed)", () => {
  all["supply-chain"]!.hasResourceProperties("AWS::ECR::Repository", {
    ImageScanningConfiguration: { ScanOnPush: true },
    ImageTagMutability: "IMMUTABLE",
    EncryptionConfiguration: { EncryptionType: "KMS" },
  });
  const scans = read(".github/workflows/supply-chain.yml");
  assert.match(scans, /trivy-action@[0-9a-f]{40}/);
  assert.match(scans, /exit-code: "?1"?/);
});

test("§9.7 in operation: tool calls are recorded in CloudWatch Logs (§9.5: kept for 90 days, masked)", () => {
  const groups = properties("AWS::Logs::LogGroup");
  const names = groups.map(([, { LogGroupName }]) => LogGroupName as string);
  for (const [id, { FunctionName, LoggingConfig }] of properties("AWS::Lambda::Function")) {
    assert.ok(LoggingConfig.LogGroup, id);
    assert.ok(names.includes(`/aws/lambda/${FunctionName}`), id);
  }
  for (const [id, { RetentionInDays, KmsKeyId }] of groups) {
    assert.equal(RetentionInDays, 90, id);
    assert.ok(KmsKeyId, id);
  }
  // The line of a tool call has the keys of the document, and masks secrets: tests of the library hold both.
  const audit = read("lib/core/src/audit.rs");
  for (const key of ["capability", "tool_name", "agent_id", "request_id", "arguments", "duration_ms", "status"]) {
    assert.match(audit, new RegExp(`\\b${key}\\b`), key);
  }
});

test("§9.7 in operation: scans run every day", () => {
  const [, hour] = read(".github/workflows/supply-chain.yml").match(/cron: "(\d+ \d+) \* \* \*"/) ?? [];
  assert.ok(hour, "a schedule without days");
});

test("§9.7 in operation: secrets are rotated every 90 days (§9.3: by a function)", () => {
  const schedules = properties("AWS::SecretsManager::RotationSchedule");
  assert.equal(schedules.length, 2);
  for (const [id, { RotationRules, RotationLambdaARN }] of schedules) {
    assert.deepEqual(RotationRules, { AutomaticallyAfterDays: 90 }, id);
    assert.ok(RotationLambdaARN, id);
  }
  all["secrets"]!.hasResourceProperties("AWS::Events::Rule", {
    ScheduleExpression: "cron(0 6 * * ? *)",
    State: "ENABLED",
  });
  const remind = properties("AWS::Lambda::Function").find(([, { Handler }]) => Handler === "remind.handler")?.[1];
  const reminded = (remind?.["Environment"].Variables.SECRETS as string).split(",");
  const rotated = SECRETS.filter((name) => !reminded.includes(name));
  assert.deepEqual(rotated, ["mlops/github-webhook-secret", "mlops/mcp-api-key"]);
  assert.equal(remind?.["Environment"].Variables.LONGEST_DAYS, "90");
});

test("§9.7 in operation: security patches are proposed at least every month", () => {
  const text = read(".github/dependabot.yml");
  const ecosystems = [
    ...text.matchAll(/package-ecosystem: (\S+)\s+directory: (\S+)\s+schedule: \{ interval: (\w+) \}/g),
  ];
  const found = ecosystems.map(([, ecosystem, directory]) => `${ecosystem} ${directory}`).sort();
  assert.deepEqual(found, ["cargo /", "docker /", "github-actions /", "npm /cdk", "npm /tests", "pip /tests"]);
  for (const [, , , interval] of ecosystems) assert.ok(["daily", "weekly", "monthly"].includes(interval ?? ""));
});
