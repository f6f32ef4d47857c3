// The functions: one for each agent and one for the MCP endpoint, each with a role of its own.
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { SubnetType } from "aws-cdk-lib/aws-ec2";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Architecture, Code, Function as LambdaFn, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import * as fs from "node:fs";
import * as path from "node:path";
import { acknowledge, acknowledgeWildcards } from "../acknowledge";
import { FUNCTIONS, type FunctionSpec, needsOf } from "../functions";
import type { Names } from "../names";
import type { Options } from "../options";
import { type Places, statementsOf } from "../tables/needs";
import { environmentOf } from "./environment";
import { functionRole } from "./function-role";
import type { Network } from "./network";

export interface FleetProps {
  readonly names: Names;
  readonly options: Options;
  readonly key: IKey;
  /** None for a server that plays AWS. */
  readonly network?: Network;
}

export class Fleet extends Construct {
  private readonly made = new Map<string, LambdaFn>();

  constructor(scope: Construct, id: string, props: FleetProps) {
    super(scope, id);
    for (const spec of FUNCTIONS) this.made.set(spec.name, make(this, spec, props));
  }

  /** Every function, with what the table says of it. */
  get functions(): readonly { spec: FunctionSpec; made: LambdaFn }[] {
    return FUNCTIONS.map((spec) => ({ spec, made: this.function(spec.name) }));
  }

  function(name: string): LambdaFn {
    const found = this.made.get(name);
    if (found === undefined) throw new Error(`the fleet has no function ${name}`);
    return found;
  }
}

/** The zip of a function; an error says how it is built. */
function zipOf(name: string, folder: string): string {
  const zip = path.join(folder, name, "bootstrap.zip");
  if (!fs.existsSync(zip)) {
    throw new Error(`there is no ${path.relative(process.cwd(), zip)}: run \`make zips\` first, or say -c zips=FOLDER`);
  }
  return zip;
}

function make(scope: Construct, spec: FunctionSpec, { names, options, key, network }: FleetProps): LambdaFn {
  const logs = new LogGroup(scope, `${spec.name}-logs`, {
    logGroupName: names.logGroup("lambda", spec.name),
    encryptionKey: key,
    retention: RetentionDays.THREE_MONTHS,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const role = functionRole(scope, `${spec.name}-role`, {
    names,
    name: spec.name,
    logs,
    inNetwork: network !== undefined,
  });
  const places: Places = {
    names,
    keyArn: key.keyArn,
    dataBuckets: options.dataBuckets,
    mailFrom: options.mailFrom,
  };
  const statements = statementsOf(needsOf(spec), places);
  for (const statement of statements) role.addToPolicy(statement);
  const wildcards = statements.flatMap((statement) => statement.resources);
  acknowledgeWildcards(
    role,
    wildcards,
    "One folder of the bucket, the executions of one state machine, or who may read mail.",
  );

  const made = new LambdaFn(scope, spec.name, {
    functionName: names.function(spec.name),
    description: spec.text,
    runtime: Runtime.PROVIDED_AL2023,
    architecture: options.architecture === "arm64" ? Architecture.ARM_64 : Architecture.X86_64,
    handler: "bootstrap",
    code: Code.fromAsset(zipOf(spec.name, options.zips)),
    role,
    logGroup: logs,
    tracing: Tracing.ACTIVE,
    memorySize: spec.memory,
    timeout: Duration.seconds(spec.timeout),
    environment: environmentOf(spec, names, options, key.keyArn),
    environmentEncryption: key,
    reservedConcurrentExecutions: options.reservedConcurrency ? spec.concurrency : undefined,
    vpc: network?.vpc,
    vpcSubnets: network && { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
    securityGroups: network && [network.agents],
  });
  acknowledge(made, { L1: "provided.al2023 is the newest runtime for compiled functions." });
  return made;
}
