// The calls to AWS that the rotation makes, with the SDK that the runtime of Lambda brings along.
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";

export function ports() {
  const secrets = new SecretsManagerClient({});
  const topics = new SNSClient({});
  return {
    describe: (SecretId) => secrets.send(new DescribeSecretCommand({ SecretId })),
    get: async (SecretId, version) =>
      (await secrets.send(new GetSecretValueCommand({ SecretId, ...version }))).SecretString ?? "",
    put: (SecretId, ClientRequestToken, SecretString) =>
      secrets.send(
        new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString, VersionStages: ["AWSPENDING"] }),
      ),
    promote: (SecretId, MoveToVersionId, RemoveFromVersionId) =>
      secrets.send(
        new UpdateSecretVersionStageCommand({
          SecretId,
          VersionStage: "AWSCURRENT",
          MoveToVersionId,
          RemoveFromVersionId,
        }),
      ),
    tell: (Subject, Message) =>
      topics.send(new PublishCommand({ TopicArn: process.env.OPERATORS_TOPIC_ARN, Subject, Message })),
  };
}
