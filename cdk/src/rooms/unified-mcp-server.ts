// The MCP endpoint as containers that are always there: for calls that take longer than a gateway waits.
import { Aws, CfnOutput, Duration, RemovalPolicy } from "aws-cdk-lib";
import { SubnetType } from "aws-cdk-lib/aws-ec2";
import type { IRepository } from "aws-cdk-lib/aws-ecr";
import {
  Cluster,
  ContainerImage,
  ContainerInsights,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  LogDrivers,
  OperatingSystemFamily,
} from "aws-cdk-lib/aws-ecs";
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  ListenerCertificate,
  SslPolicy,
  TargetType,
} from "aws-cdk-lib/aws-elasticloadbalancingv2";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { BlockPublicAccess, Bucket, BucketEncryption } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { acknowledge, acknowledgeWildcards } from "../acknowledge";
import { MCP, needsOf } from "../functions";
import type { Names } from "../names";
import type { Options, UnifiedMcpServerOptions } from "../options";
import { statementsOf } from "../tables/needs";
import { environmentOf } from "./environment";
import { MCP_PORT, type Network } from "./network";
import { LOG_DAYS } from "./storage";

export interface UnifiedMcpServerProps {
  readonly names: Names;
  readonly options: Options;
  readonly server: UnifiedMcpServerOptions;
  readonly key: IKey;
  readonly network: Network;
  readonly repository: IRepository;
}

export class UnifiedMcpServer extends Construct {
  constructor(
    scope: Construct,
    id: string,
    private readonly props: UnifiedMcpServerProps,
  ) {
    super(scope, id);
    const { names, network } = props;
    const cluster = new Cluster(this, "Cluster", {
      clusterName: names.prefix,
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    const service = new FargateService(this, "Service", {
      serviceName: `${names.prefix}-mcp`,
      cluster,
      taskDefinition: this.task(),
      desiredCount: 1,
      minHealthyPercent: 100,
      circuitBreaker: { rollback: true },
      assignPublicIp: false,
      enableExecuteCommand: false,
      securityGroups: [network.server],
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
    });
    const scaling = service.autoScaleTaskCount({ minCapacity: 1, maxCapacity: 5 });
    scaling.scaleOnCpuUtilization("Processor", { targetUtilizationPercent: 60 });
    scaling.scaleOnMemoryUtilization("Memory", { targetUtilizationPercent: 70 });
    this.balance(service);
  }

  /** What runs: 2 vCPU and 8 GB, not as root, on a file system that cannot be written. */
  private task(): FargateTaskDefinition {
    const { names, options, server, key, repository } = this.props;
    const principal = new ServicePrincipal("ecs-tasks.amazonaws.com");
    const role = new Role(this, "TaskRole", {
      description: "The tools of the unified MCP server",
      assumedBy: principal,
    });
    const statements = statementsOf(needsOf(MCP), {
      names,
      keyArn: key.keyArn,
      dataBuckets: options.dataBuckets,
      mailFrom: options.mailFrom,
    });
    for (const statement of statements) role.addToPolicy(statement);
    acknowledgeWildcards(
      role,
      statements.flatMap((statement) => statement.resources),
      "One folder of the bucket, the executions of one state machine, or who may read mail.",
    );
    const logs = new LogGroup(this, "Logs", {
      logGroupName: names.logGroup("ecs", "mcp"),
      encryptionKey: key,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const starter = new Role(this, "StartRole", {
      description: "Fetches the image of the unified MCP server, and opens its log",
      assumedBy: principal,
    });
    // The one call that knows no resource; CDK adds the rest for the repository and the log group.
    starter.addToPolicy(new PolicyStatement({ actions: ["ecr:GetAuthorizationToken"], resources: ["*"] }));
    repository.grantPull(starter);
    logs.grantWrite(starter);
    acknowledge(starter, { "IAM5[Resource::*]": "The token of the registry knows no resource." });

    const task = new FargateTaskDefinition(this, "Task", {
      family: `${names.prefix}-mcp`,
      cpu: 2048,
      memoryLimitMiB: 8192,
      taskRole: role,
      executionRole: starter,
      runtimePlatform: {
        cpuArchitecture: options.architecture === "arm64" ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
    });
    task.addContainer("mcp", {
      image: ContainerImage.fromEcrRepository(repository, server.imageTag),
      command: ["--http", `0.0.0.0:${MCP_PORT}`],
      portMappings: [{ containerPort: MCP_PORT }],
      readonlyRootFilesystem: true,
      user: "65532:65532",
      environment: { ...environmentOf(MCP, names, options, key.keyArn), MLOPS_MCP_HOSTS: "*" },
      logging: LogDrivers.awsLogs({ streamPrefix: "mcp", logGroup: logs }),
      stopTimeout: Duration.seconds(60),
    });
    acknowledge(task, {
      ECS2: "The variables name places; every secret is read from Secrets Manager when it is needed.",
    });
    return task;
  }

  /** TLS ends at the load balancer, which only the functions reach. */
  private balance(service: FargateService): void {
    const { network, server } = this.props;
    const balancer = new ApplicationLoadBalancer(this, "Balancer", {
      vpc: network.vpc,
      internetFacing: false,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      securityGroup: network.balancer,
      dropInvalidHeaderFields: true,
      deletionProtection: true,
      // Longer than any answer that is not a stream, and a stream shows signs of life.
      idleTimeout: Duration.seconds(120),
    });
    this.keepAccessLogs(balancer);
    const target = new ApplicationTargetGroup(this, "Target", {
      vpc: network.vpc,
      port: MCP_PORT,
      protocol: ApplicationProtocol.HTTP,
      targetType: TargetType.IP,
      targets: [service],
      healthCheck: { path: "/healthz", interval: Duration.seconds(15), healthyThresholdCount: 2 },
      deregistrationDelay: Duration.seconds(60),
    });
    balancer.addListener("Tls", {
      port: 443,
      protocol: ApplicationProtocol.HTTPS,
      // TLS 1.2 and 1.3, with forward secrecy.
      sslPolicy: SslPolicy.TLS13_RES,
      certificates: [ListenerCertificate.fromArn(server.certificateArn)],
      defaultTargetGroups: [target],
      open: false,
    });
    new CfnOutput(this, "BalancerName", { value: balancer.loadBalancerDnsName });
  }

  /** Written out, since the library wants to know the region for it, which the service no longer does. */
  private keepAccessLogs(balancer: ApplicationLoadBalancer): void {
    const logs = new Bucket(this, "AccessLogs", {
      // Load balancers write only to buckets with the keys of S3 itself.
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [{ expiration: Duration.days(LOG_DAYS), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    logs.addToResourcePolicy(
      new PolicyStatement({
        sid: "balancer",
        principals: [new ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
        actions: ["s3:PutObject"],
        resources: [logs.arnForObjects(`AWSLogs/${Aws.ACCOUNT_ID}/*`)],
        conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
      }),
    );
    acknowledge(logs, { S1: "The bucket of the access logs would log its own logging." });
    balancer.setAttribute("access_logs.s3.enabled", "true");
    balancer.setAttribute("access_logs.s3.bucket", logs.bucketName);
    if (logs.policy !== undefined) balancer.node.addDependency(logs.policy);
  }
}
