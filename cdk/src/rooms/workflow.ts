// The state machines of statemachine/, as they stand there: only the ARNs of the functions are filled in.
import { RemovalPolicy } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from "aws-cdk-lib/aws-stepfunctions";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import * as fs from "node:fs";
import * as path from "node:path";
import { acknowledge } from "../acknowledge";
import { substitutionOf } from "../functions";
import { type Machine, MACHINES, type Names } from "../names";
import type { Fleet } from "./fleet";

const FOLDER = path.join(__dirname, "..", "..", "..", "statemachine");

/** The definition of a machine as CloudFormation takes it: the text of the file without its indentation. */
export function definitionOf(machine: Machine): string {
  return JSON.stringify(JSON.parse(fs.readFileSync(path.join(FOLDER, `${machine}.asl.json`), "utf8")));
}

/** The agents that a definition calls. */
export function calledBy(definition: string): Set<string> {
  return new Set([...definition.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1] ?? ""));
}

export class Workflow extends Construct {
  readonly machines: ReadonlyMap<Machine, StateMachine>;

  constructor(scope: Construct, id: string, names: Names, fleet: Fleet, key: IKey) {
    super(scope, id);
    this.machines = new Map(MACHINES.map((machine) => [machine, this.make(machine, names, fleet, key)]));
  }

  private make(machine: Machine, names: Names, fleet: Fleet, key: IKey): StateMachine {
    const definition = definitionOf(machine);
    const called = calledBy(definition);
    const functions = fleet.functions.filter(({ spec }) => called.has(substitutionOf(spec.name)));
    const role = new Role(this, `${machine}-role`, {
      description: `The state machine ${names.machine(machine)}`,
      assumedBy: new ServicePrincipal("states.amazonaws.com"),
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ["lambda:InvokeFunction"],
        resources: functions.map(({ made }) => made.functionArn),
      }),
    );
    const made = new StateMachine(this, machine, {
      stateMachineName: names.machine(machine),
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(definition),
      definitionSubstitutions: Object.fromEntries(
        functions.map(({ spec, made }) => [substitutionOf(spec.name), made.functionArn]),
      ),
      role,
      tracingEnabled: true,
      logs: {
        level: LogLevel.ALL,
        // The token by which a run that waits goes on is among the data.
        includeExecutionData: false,
        destination: new LogGroup(this, `${machine}-logs`, {
          logGroupName: `/aws/vendedlogs${names.logGroup("states", machine)}`,
          encryptionKey: key,
          retention: RetentionDays.THREE_MONTHS,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    });
    acknowledge(role, { "IAM5[Resource::*]": "X-Ray and the delivery of logs know no resources." });
    return made;
  }
}
