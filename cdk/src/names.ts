// The names and ARNs by which the rooms know each other, so that no stack exports what another imports.
import { Aws } from "aws-cdk-lib";

/** The state machines of `statemachine/`. */
export const MACHINES = ["training", "rollback"] as const;
export type Machine = (typeof MACHINES)[number];

/** The secrets of the fleet, all of them in Secrets Manager. */
export const SECRETS = [
  "mlops/github-token",
  "mlops/slack-webhook-url",
  "mlops/email-smtp-password",
  "mlops/teams-webhook-url",
  "mlops/discord-webhook-url",
  "mlops/github-webhook-secret",
  "mlops/mcp-api-key",
] as const;
export type SecretName = (typeof SECRETS)[number];

/** What things are called in one deployment. */
export class Names {
  constructor(readonly prefix: string) {}

  private arn(service: string, resource: string): string {
    return `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
  }

  /** The bucket of data, artifacts and records. */
  get bucket(): string {
    return `${this.prefix}-${Aws.ACCOUNT_ID}-${Aws.REGION}`;
  }

  get bucketArn(): string {
    return `arn:${Aws.PARTITION}:s3:::${this.bucket}`;
  }

  function(name: string): string {
    return `${this.prefix}-${name}`;
  }

  functionArn(name: string): string {
    return this.arn("lambda", `function:${this.function(name)}`);
  }

  machine(machine: Machine): string {
    return `${this.prefix}-${machine}`;
  }

  machineArn(machine: Machine): string {
    return this.arn("states", `stateMachine:${this.machine(machine)}`);
  }

  executionArns(machine: Machine): string {
    return this.arn("states", `execution:${this.machine(machine)}:*`);
  }

  /** The topic of the events of runs. */
  get events(): string {
    return `${this.prefix}-events`;
  }

  get eventsArn(): string {
    return this.arn("sns", this.events);
  }

  /** The topic of those who operate the fleet: alarms, and secrets that are due. */
  get operators(): string {
    return `${this.prefix}-operators`;
  }

  get operatorsArn(): string {
    return this.arn("sns", this.operators);
  }

  /** Secrets Manager adds a dash and six characters to a name. */
  secretArn(secret: SecretName): string {
    return this.arn("secretsmanager", `secret:${secret}-??????`);
  }

  logGroup(kind: "lambda" | "states" | "apigateway" | "ecs", name: string): string {
    return kind === "lambda" ? `/aws/lambda/${this.prefix}-${name}` : `/${this.prefix}/${kind}/${name}`;
  }
}
