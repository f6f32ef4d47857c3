// The entrances: GitHub's webhook and the MCP endpoint, behind a firewall that limits how often one address may call.
// A regional REST API, since an HTTP API takes no firewall (docs/decisions names the reasons).
import { CfnOutput, RemovalPolicy } from "aws-cdk-lib";
import {
  AccessLogFormat,
  AuthorizationType,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  type Method,
  MethodLoggingLevel,
  ResponseTransferMode,
  RestApi,
} from "aws-cdk-lib/aws-apigateway";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { acknowledge } from "../acknowledge";
import type { Names } from "../names";
import type { Options } from "../options";
import type { Fleet } from "./fleet";

/** The stage. Functions do not see it. */
export const STAGE = "v1";

const UNCHECKED = "The function checks the whole body itself, and says what is wrong with it.";

export interface ApiProps {
  readonly names: Names;
  readonly options: Options;
  readonly fleet: Fleet;
  readonly key: IKey;
}

export class Api extends Construct {
  readonly api: RestApi;

  constructor(scope: Construct, id: string, { names, options, fleet, key }: ApiProps) {
    super(scope, id);
    const logs = new LogGroup(this, "Access", {
      logGroupName: names.logGroup("apigateway", "access"),
      encryptionKey: key,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.api = new RestApi(this, "Api", {
      restApiName: names.prefix,
      description: "GitHub's webhook and the MCP endpoint",
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: false,
      // The bytes of a body reach the function as they were sent, or a signature over them would not fit.
      deployOptions: {
        stageName: STAGE,
        tracingEnabled: true,
        metricsEnabled: true,
        loggingLevel: options.emulator ? MethodLoggingLevel.OFF : MethodLoggingLevel.ERROR,
        dataTraceEnabled: false,
        throttlingRateLimit: 50,
        throttlingBurstLimit: 100,
        accessLogDestination: new LogGroupLogDestination(logs),
        accessLogFormat: AccessLogFormat.jsonWithStandardFields({
          caller: true,
          httpMethod: true,
          ip: true,
          protocol: true,
          requestTime: true,
          resourcePath: true,
          responseLength: true,
          status: true,
          user: true,
        }),
      },
    });
    acknowledge(this.api, { APIG2: UNCHECKED });

    const integration = (name: string, streams = false): LambdaIntegration =>
      new LambdaIntegration(fleet.function(name), {
        allowTestInvoke: false,
        ...(streams && { responseTransferMode: ResponseTransferMode.STREAM }),
      });
    const github = this.api.root.addResource("github");
    const webhook = github.addMethod("POST", integration("issue-detector"));
    open(webhook, "GitHub signs each delivery; the function believes no other.");

    const byIam = options.mcpAuthorization === "iam";
    const mcp = this.api.root.addResource("mcp");
    // `/mcp/x/<capability>`, `/mcp/readonly`: narrower views of the same endpoint.
    for (const resource of [mcp, mcp.addResource("{proxy+}")]) {
      const method = resource.addMethod("ANY", integration("mcp", options.mcpStreaming), {
        authorizationType: byIam ? AuthorizationType.IAM : AuthorizationType.NONE,
      });
      const why = byIam
        ? "Callers sign with IAM."
        : "The function asks for a key, compares it in constant time, and limits each key.";
      open(method, why);
    }
    new CfnOutput(this, "WebhookUrl", { value: this.api.urlForPath("/github") });
    new CfnOutput(this, "McpUrl", { value: this.api.urlForPath("/mcp") });
  }
}

/** A method whose callers are known otherwise than by a user pool. */
function open(method: Method, why: string): void {
  acknowledge(method, { APIG4: why, COG4: why });
}
