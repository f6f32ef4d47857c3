// The secrets of the fleet. Two are made and rotated here; the others come from outside, and a person is reminded of them.
import { Aws, Duration, RemovalPolicy } from "aws-cdk-lib";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Architecture, Code, Function as LambdaFn, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { SnsDestination } from "aws-cdk-lib/aws-lambda-destinations";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { CfnRotationSchedule, CfnSecret } from "aws-cdk-lib/aws-secretsmanager";
import { type ITopic, Topic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import * as path from "node:path";
import { acknowledge } from "../acknowledge";
import { type Names, type SecretName, SECRETS } from "../names";
import { functionRole } from "./function-role";

/** How old a secret becomes. */
export const ROTATION_DAYS = 90;

/** The secrets that only the fleet knows, so that it can make and rotate them. */
export const OWN_SECRETS: readonly SecretName[] = ["mlops/github-webhook-secret", "mlops/mcp-api-key"];

const PURPOSE: Record<SecretName, string> = {
  "mlops/github-token": "GitHub: a token, or the private key of the GitHub App",
  "mlops/slack-webhook-url": "Slack: the address of the incoming webhook",
  "mlops/email-smtp-password": "Mail: the password of the SMTP server",
  "mlops/teams-webhook-url": "Microsoft Teams: the address of the workflow",
  "mlops/discord-webhook-url": "Discord: the address of the webhook",
  "mlops/github-webhook-secret": "GitHub: the secret of the webhook",
  "mlops/mcp-api-key": "The keys of the callers of the MCP endpoint",
};

export class Secrets extends Construct {
  private readonly made = new Map<SecretName, CfnSecret>();

  constructor(scope: Construct, id: string, key: IKey) {
    super(scope, id);
    for (const name of SECRETS) {
      const isOwn = OWN_SECRETS.includes(name);
      const secret = new CfnSecret(this, idOf(name), {
        name,
        description: PURPOSE[name],
        kmsKeyId: key.keyArn,
        // The others are empty until a person gives them: what needs one says that it is missing.
        ...(isOwn ? { generateSecretString: { passwordLength: 64, excludePunctuation: true } } : {}),
      });
      this.made.set(name, secret);
      secret.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
      if (!isOwn) {
        acknowledge(secret, {
          SMG4: "Others issue it: a person replaces it, reminded by the function secrets-reminder.",
        });
      }
    }
  }

  /** One secret. */
  secret(name: SecretName): CfnSecret {
    const found = this.made.get(name);
    if (found === undefined) throw new Error(`there is no secret ${name}`);
    return found;
  }
}

export interface RotationProps {
  readonly names: Names;
  readonly secrets: Secrets;
  readonly key: IKey;
}

export class Rotation extends Construct {
  private readonly operators: ITopic;

  constructor(scope: Construct, id: string, props: RotationProps) {
    super(scope, id);
    const { names, secrets, key } = props;
    this.operators = Topic.fromTopicArn(this, "Operators", names.operatorsArn);
    const rotate = this.make("secrets-rotation", "rotate.handler", props, [
      new PolicyStatement({
        actions: [
          "secretsmanager:DescribeSecret",
          "secretsmanager:GetSecretValue",
          "secretsmanager:PutSecretValue",
          "secretsmanager:UpdateSecretVersionStage",
        ],
        resources: OWN_SECRETS.map((name) => names.secretArn(name)),
      }),
      keyThrough(key, ["secretsmanager", "sns"]),
    ]);
    rotate.addPermission("SecretsManager", {
      principal: new ServicePrincipal("secretsmanager.amazonaws.com"),
      sourceAccount: Aws.ACCOUNT_ID,
    });
    for (const name of OWN_SECRETS) {
      const schedule = new CfnRotationSchedule(this, `${idOf(name)}Schedule`, {
        secretId: secrets.secret(name).ref,
        rotationLambdaArn: rotate.functionArn,
        rotationRules: { automaticallyAfterDays: ROTATION_DAYS },
        // Whoever deploys gives GitHub the first value: it must not change under their hands.
        rotateImmediatelyOnUpdate: false,
      });
      schedule.node.addDependency(rotate);
    }

    const others = SECRETS.filter((name) => !OWN_SECRETS.includes(name));
    const remind = this.make(
      "secrets-reminder",
      "remind.handler",
      props,
      [
        new PolicyStatement({
          actions: ["secretsmanager:DescribeSecret"],
          resources: others.map((name) => names.secretArn(name)),
        }),
        keyThrough(key, ["sns"]),
      ],
      { SECRETS: others.join(","), LONGEST_DAYS: String(ROTATION_DAYS) },
    );
    new Rule(this, "Daily", {
      description: `Says which secrets are older than ${ROTATION_DAYS} days`,
      schedule: Schedule.cron({ hour: "6", minute: "0" }),
      targets: [new LambdaFunction(remind, { retryAttempts: 2 })],
    });
  }

  /** A function of rotation/, in Node.js. */
  private make(
    name: string,
    handler: string,
    { names, key }: RotationProps,
    statements: PolicyStatement[],
    environment: Record<string, string> = {},
  ): LambdaFn {
    const logs = new LogGroup(this, `${name}-logs`, {
      logGroupName: names.logGroup("lambda", name),
      encryptionKey: key,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = functionRole(this, `${name}-role`, { names, name, logs, inNetwork: false });
    for (const statement of statements) role.addToPolicy(statement);
    role.addToPolicy(new PolicyStatement({ actions: ["sns:Publish"], resources: [this.operators.topicArn] }));
    return new LambdaFn(this, name, {
      functionName: names.function(name),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler,
      code: Code.fromAsset(path.join(__dirname, "..", "..", "rotation")),
      role,
      logGroup: logs,
      tracing: Tracing.ACTIVE,
      timeout: Duration.seconds(60),
      memorySize: 256,
      environment: { OPERATORS_TOPIC_ARN: this.operators.topicArn, ...environment },
      // Both are called without anybody waiting for an answer.
      retryAttempts: 2,
      onFailure: new SnsDestination(this.operators),
    });
  }
}

/** `mlops/mcp-api-key` → `McpApiKey`. */
function idOf(name: SecretName): string {
  const words = name.slice("mlops/".length).split("-");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function keyThrough(key: IKey, services: readonly string[]): PolicyStatement {
  return new PolicyStatement({
    actions: ["kms:Decrypt", "kms:GenerateDataKey"],
    resources: [key.keyArn],
    conditions: {
      StringEquals: { "kms:ViaService": services.map((service) => `${service}.${Aws.REGION}.amazonaws.com`) },
    },
  });
}
