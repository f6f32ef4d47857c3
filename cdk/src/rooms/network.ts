// The network: private subnets, the endpoints of AWS services in it, and who may speak to whom.
import { Aws, RemovalPolicy } from "aws-cdk-lib";
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import { AnyPrincipal, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { acknowledge } from "../acknowledge";
import { type Names, SECRETS } from "../names";
import type { Options } from "../options";

/** The port of the unified MCP server. */
export const MCP_PORT = 8080;

const HTTPS = "AWS, GitHub and chat services, over TLS";

export class Network extends Construct {
  readonly vpc: Vpc;
  /** Of the functions. */
  readonly agents: SecurityGroup;
  /** Of the load balancer before the unified MCP server. */
  readonly balancer: SecurityGroup;
  /** Of the tasks of the unified MCP server. */
  readonly server: SecurityGroup;

  constructor(scope: Construct, id: string, names: Names, options: Options, key: IKey) {
    super(scope, id);
    this.vpc = new Vpc(this, "Vpc", {
      ipAddresses: IpAddresses.cidr("10.20.0.0/16"),
      maxAzs: 2,
      natGateways: options.natGateways,
      // Nothing uses the default group; emptying it would take a function with rights over every group.
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        // Only the NAT gateways stand here: nothing in it is given an address that the internet reaches.
        { name: "egress", subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: "private", subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
      ],
    });
    const flows = new LogGroup(this, "Flows", {
      logGroupName: `/${names.prefix}/vpc/flows`,
      encryptionKey: key,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.vpc.addFlowLog("Flow", { destination: FlowLogDestination.toCloudWatchLogs(flows) });

    const group = (name: string, description: string): SecurityGroup =>
      new SecurityGroup(this, name, { vpc: this.vpc, description, allowAllOutbound: false });
    this.agents = group("Agents", "The functions");
    this.balancer = group("Balancer", "The load balancer of the unified MCP server");
    this.server = group("Server", "The unified MCP server");
    const endpoints = group("Endpoints", "The interface endpoints of AWS services");

    this.agents.addEgressRule(Peer.anyIpv4(), Port.tcp(443), HTTPS);
    this.server.addEgressRule(Peer.anyIpv4(), Port.tcp(443), HTTPS);
    this.balancer.addIngressRule(this.agents, Port.tcp(443), "MCP over TLS, from the functions");
    this.balancer.addEgressRule(this.server, Port.tcp(MCP_PORT), "MCP behind the end of TLS");
    this.server.addIngressRule(this.balancer, Port.tcp(MCP_PORT), "MCP, from the load balancer");
    for (const caller of [this.agents, this.server]) {
      endpoints.addIngressRule(caller, Port.tcp(443), "AWS APIs");
    }

    const subnets = { subnetType: SubnetType.PRIVATE_WITH_EGRESS };
    this.vpc.addGatewayEndpoint("S3", { service: GatewayVpcEndpointAwsService.S3, subnets: [subnets] });
    const services = {
      SecretsManager: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
      SageMaker: InterfaceVpcEndpointAwsService.SAGEMAKER_API,
      Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    };
    for (const [name, service] of Object.entries(services)) {
      const endpoint = this.vpc.addInterfaceEndpoint(name, {
        service,
        subnets,
        open: false,
        privateDnsEnabled: true,
        securityGroups: [endpoints],
      });
      if (name !== "SecretsManager") continue;
      // Through it this account reads its own secrets, and nobody carries them to another account.
      endpoint.addToPolicy(
        new PolicyStatement({
          principals: [new AnyPrincipal()],
          actions: ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
          resources: SECRETS.map((secret) => names.secretArn(secret)),
          conditions: { StringEquals: { "aws:PrincipalAccount": Aws.ACCOUNT_ID } },
        }),
      );
    }
    acknowledge(this.vpc, { VPC7: "Flow logs are written to a log group." });
  }
}
