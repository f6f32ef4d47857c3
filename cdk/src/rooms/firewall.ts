// The firewall before the API: addresses of ill repute, known attacks, and a limit for each address.
import { RemovalPolicy } from "aws-cdk-lib";
import { CfnAccount, type RestApi } from "aws-cdk-lib/aws-apigateway";
import { ManagedPolicy, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from "aws-cdk-lib/aws-wafv2";
import { Construct } from "constructs";
import { acknowledge } from "../acknowledge";
import type { Names } from "../names";

/** How often one address may call in a minute: as often as one key of the MCP endpoint. */
export const CALLS_PER_MINUTE = 600;

/** The rules of AWS that fit. The common rule set does not: it refuses bodies over 8 KB and issues that hold code. */
const MANAGED = ["AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet"];

export class Firewall extends Construct {
  constructor(scope: Construct, id: string, names: Names, api: RestApi, key: IKey) {
    super(scope, id);
    const seen = (metricName: string): CfnWebACL.VisibilityConfigProperty => ({
      metricName,
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: false,
    });
    const acl = new CfnWebACL(this, "Acl", {
      name: names.prefix,
      scope: "REGIONAL",
      defaultAction: { allow: {} },
      visibilityConfig: seen(names.prefix),
      rules: [
        {
          name: "calls-per-address",
          priority: 0,
          action: { block: { customResponse: { responseCode: 429 } } },
          statement: {
            rateBasedStatement: { aggregateKeyType: "IP", limit: CALLS_PER_MINUTE, evaluationWindowSec: 60 },
          },
          visibilityConfig: seen("calls-per-address"),
        },
        ...MANAGED.map((name, index) => ({
          name,
          priority: index + 1,
          overrideAction: { none: {} },
          statement: { managedRuleGroupStatement: { vendorName: "AWS", name } },
          visibilityConfig: seen(name),
        })),
      ],
    });
    new CfnWebACLAssociation(this, "Before", {
      resourceArn: api.deploymentStage.stageArn,
      webAclArn: acl.attrArn,
    });
    const logs = new LogGroup(this, "Logs", {
      // The firewall takes no other names.
      logGroupName: `aws-waf-logs-${names.prefix}`,
      encryptionKey: key,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new CfnLoggingConfiguration(this, "Logging", {
      resourceArn: acl.attrArn,
      logDestinationConfigs: [logs.logGroupArn],
      redactedFields: ["authorization", "x-api-key"].map((name) => ({ singleHeader: { Name: name } })),
      // Only what was refused is of interest here: the API logs every access.
      loggingFilter: {
        DefaultBehavior: "DROP",
        Filters: [
          { Behavior: "KEEP", Requirement: "MEETS_ANY", Conditions: [{ ActionCondition: { Action: "BLOCK" } }] },
        ],
      },
    });

    // API Gateway writes the errors of every API of the account with one role.
    const role = new Role(this, "GatewayLogs", {
      assumedBy: new ServicePrincipal("apigateway.amazonaws.com"),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName("service-role/AmazonAPIGatewayPushToCloudWatchLogs")],
    });
    acknowledge(role, {
      "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]":
        "The policy that API Gateway asks for; it is the account's, not the fleet's.",
    });
    const account = new CfnAccount(this, "Account", { cloudWatchRoleArn: role.roleArn });
    api.deploymentStage.node.addDependency(account);
  }
}
