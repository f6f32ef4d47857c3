// What others can call: the API, its firewall, the load balancer, and how each knows its callers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Match } from "aws-cdk-lib/assertions";
import { STAGE } from "../src/rooms/api";
import { CALLS_PER_MINUTE } from "../src/rooms/firewall";
import { read, resources, templates, WHOLE } from "./synthesised";

const all = templates();

/** Each method as `METHOD path authorization function`. */
function methods(given: Record<string, string>): string[] {
  const api = { api: templates(given)["api"]! };
  const paths = new Map(
    resources(api, "AWS::ApiGateway::Resource").map(([id, { Properties }]) => [
      id.replace("api/", ""),
      { part: Properties.PathPart as string, parent: (Properties.ParentId.Ref ?? "") as string },
    ]),
  );
  const pathOf = (id: string): string => {
    const found = paths.get(id);
    return found === undefined ? "" : `${pathOf(found.parent)}/${found.part}`;
  };
  return resources(api, "AWS::ApiGateway::Method")
    .map(([, { Properties }]) => {
      const called = /Fleet(issuedetector|mcp)/.exec(JSON.stringify(Properties.Integration.Uri))?.[1];
      return `${Properties.HttpMethod} ${pathOf(Properties.ResourceId.Ref)} ${Properties.AuthorizationType} ${called}`;
    })
    .sort();
}

test("the API has the webhook and the MCP endpoint, and nothing else", () => {
  const webhook = "POST /github NONE issuedetector";
  assert.deepEqual(methods(WHOLE), ["ANY /mcp NONE mcp", "ANY /mcp/{proxy+} NONE mcp", webhook]);
  const signed = methods({ ...WHOLE, mcpAuthorization: "iam" });
  assert.deepEqual(signed, ["ANY /mcp AWS_IAM mcp", "ANY /mcp/{proxy+} AWS_IAM mcp", webhook]);
});

test("the gateway and the function behind MCP both stream, or neither does", () => {
  for (const [mcpStreaming, mode] of [
    ["true", "STREAM"],
    ["false", undefined],
  ] as const) {
    const found = templates({ ...WHOLE, mcpStreaming });
    const modes = resources({ api: found["api"]! }, "AWS::ApiGateway::Method").map(([, { Properties }]) => [
      /Fleet(issuedetector|mcp)/.exec(JSON.stringify(Properties.Integration.Uri))?.[1],
      Properties.Integration.ResponseTransferMode,
    ]);
    const expected = [
      ["issuedetector", undefined],
      ["mcp", mode],
      ["mcp", mode],
    ];
    assert.deepEqual(modes.sort(), expected);
    for (const [id, { Properties }] of resources({ fleet: found["fleet"]! }, "AWS::Lambda::Function")) {
      const streams = Properties.Environment?.Variables?.MLOPS_MCP_STREAMING;
      assert.equal(streams, /Fleetmcp/i.test(id) && mode ? "true" : undefined, id);
    }
  }
});

test("each function behind the API may be called by that API alone", () => {
  for (const [id, { Properties }] of resources({ api: all["api"]! }, "AWS::Lambda::Permission")) {
    assert.equal(Properties.Principal, "apigateway.amazonaws.com", id);
    assert.match(JSON.stringify(Properties.SourceArn), /execute-api.*(\/POST\/github|\/\*\/mcp)/, id);
  }
});

test("the API is limited, traced and logged, and logs no body", () => {
  all["api"]!.hasResourceProperties("AWS::ApiGateway::Stage", {
    StageName: STAGE,
    TracingEnabled: true,
    AccessLogSetting: { DestinationArn: Match.anyValue(), Format: Match.stringLikeRegexp("status") },
    MethodSettings: [Match.objectLike({ DataTraceEnabled: false, ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 })],
  });
});

test("one address may call as often as one key", () => {
  const setting = read("lib/core/src/settings.rs").match(/MLOPS_MCP_CALLS_PER_MINUTE"[^}]*default: "(\d+)"/s)?.[1];
  assert.equal(String(CALLS_PER_MINUTE), setting);
  all["api"]!.hasResourceProperties("AWS::WAFv2::WebACL", {
    Scope: "REGIONAL",
    Rules: Match.arrayWith([
      Match.objectLike({
        Action: { Block: Match.anyValue() },
        Statement: {
          RateBasedStatement: { AggregateKeyType: "IP", Limit: CALLS_PER_MINUTE, EvaluationWindowSec: 60 },
        },
      }),
    ]),
  });
  all["api"]!.hasResourceProperties("AWS::WAFv2::WebACLAssociation", {
    ResourceArn: { "Fn::Join": Match.arrayWith([Match.arrayWith([{ Ref: Match.stringLikeRegexp("Api") }])]) },
  });
});

test("the log of the firewall holds no key", () => {
  all["api"]!.hasResourceProperties("AWS::WAFv2::LoggingConfiguration", {
    RedactedFields: [{ SingleHeader: { Name: "authorization" } }, { SingleHeader: { Name: "x-api-key" } }],
  });
});

test("§9.2: the load balancer ends TLS 1.2 or newer", () => {
  all["unified-mcp-server"]!.hasResourceProperties("AWS::ElasticLoadBalancingV2::Listener", {
    Protocol: "HTTPS",
    Port: 443,
    SslPolicy: "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    Certificates: [{ CertificateArn: WHOLE.mcpCertificateArn }],
  });
});

test("§9.2: the bucket and the topics refuse what comes without TLS", () => {
  const policies = resources(all, "AWS::S3::BucketPolicy");
  assert.equal(policies.length, resources(all, "AWS::S3::Bucket").length);
  for (const [id, { Properties }] of policies) {
    const text = JSON.stringify(Properties.PolicyDocument);
    assert.match(text, /"aws:SecureTransport":"false"/, id);
    assert.match(text, /"s3:TlsVersion":1\.2/, id);
  }
  for (const [id, { Properties }] of resources(all, "AWS::SNS::TopicPolicy")) {
    assert.match(JSON.stringify(Properties.PolicyDocument), /"aws:SecureTransport":"false"/, id);
  }
});

test("§5.1: the unified MCP server has 2 vCPU, 8 GB and one to five tasks", () => {
  const server = all["unified-mcp-server"]!;
  server.hasResourceProperties("AWS::ECS::TaskDefinition", {
    Cpu: "2048",
    Memory: "8192",
    RuntimePlatform: { CpuArchitecture: "ARM64" },
    ContainerDefinitions: [Match.objectLike({ ReadonlyRootFilesystem: true, User: "65532:65532" })],
  });
  server.hasResourceProperties("AWS::ApplicationAutoScaling::ScalableTarget", { MinCapacity: 1, MaxCapacity: 5 });
  assert.equal(templates({})["unified-mcp-server"], undefined, "it is there only when it is asked for");
});
