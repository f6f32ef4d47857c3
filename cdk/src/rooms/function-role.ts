// The role of a function: its own log group, its network, and what it is given. Nothing else.
import { Aws } from "aws-cdk-lib";
import { Effect, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { acknowledge } from "../acknowledge";
import type { Names } from "../names";

/** Lambda attaches a function to the network with these, and they know no resource. */
const NETWORK_INTERFACES = [
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:AssignPrivateIpAddresses",
  "ec2:UnassignPrivateIpAddresses",
];

/** The role of the function `name`, which writes to that log group. */
export function functionRole(
  scope: Construct,
  id: string,
  { names, name, logs, inNetwork }: { names: Names; name: string; logs: ILogGroup; inNetwork: boolean },
): Role {
  const role = new Role(scope, id, {
    roleName: `${names.function(name)}-${Aws.REGION}`,
    description: `The function ${names.function(name)}`,
    assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
  });
  role.addToPolicy(
    new PolicyStatement({
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [logs.logGroupArn],
    }),
  );
  role.addToPolicy(
    new PolicyStatement({ actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources: ["*"] }),
  );
  if (inNetwork) {
    role.addToPolicy(new PolicyStatement({ actions: NETWORK_INTERFACES, resources: ["*"] }));
    // Lambda itself does it before the function runs: its code must not.
    role.addToPolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        actions: NETWORK_INTERFACES,
        resources: ["*"],
        conditions: { ArnEquals: { "lambda:SourceFunctionArn": [names.functionArn(name)] } },
      }),
    );
  }
  acknowledge(role, {
    "IAM5[Resource::*]":
      "X-Ray and the network interfaces of Lambda know no resources; the code itself is denied the interfaces.",
  });
  return role;
}
