// Where data, artifacts and records lie: one key, one bucket, and the bucket of its access logs.
import { Aws, CfnOutput, Duration, RemovalPolicy } from "aws-cdk-lib";
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { acknowledge } from "../acknowledge";
import type { Names } from "../names";

/** How long logs are kept. */
export const LOG_DAYS = 90;

export class Storage extends Construct {
  readonly key: Key;
  readonly bucket: Bucket;
  readonly accessLogs: Bucket;

  constructor(scope: Construct, id: string, names: Names) {
    super(scope, id);
    this.key = new Key(this, "Key", {
      alias: `alias/${names.prefix}`,
      description: "Everything that the fleet keeps: objects, secrets, messages and logs.",
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.serve(
      "logs",
      `logs.${Aws.REGION}.amazonaws.com`,
      ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
      {
        ArnLike: {
          "kms:EncryptionContext:aws:logs:arn": `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:*`,
        },
      },
    );
    this.serve("alarms", "cloudwatch.amazonaws.com", ["kms:Decrypt", "kms:GenerateDataKey*"], {
      StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID },
    });

    this.accessLogs = new Bucket(this, "AccessLogs", {
      // Access logs are delivered only to buckets with the keys of S3 itself.
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [{ expiration: Duration.days(LOG_DAYS), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(this.accessLogs, { S1: "The bucket of the access logs would log its own logging." });

    this.bucket = new Bucket(this, "Bucket", {
      bucketName: names.bucket,
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      serverAccessLogsBucket: this.accessLogs,
      serverAccessLogsPrefix: "store/",
      lifecycleRules: [
        {
          id: "half-uploaded",
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
        { id: "replaced", noncurrentVersionExpiration: Duration.days(90), expiredObjectDeleteMarker: true },
        // Details of tasks, jobs of the MCP endpoint and deliveries are of use for days; ninety are kept.
        ...["results", "jobs", "deliveries"].map((folder) => ({
          id: folder,
          prefix: `store/${folder}/`,
          expiration: Duration.days(LOG_DAYS),
        })),
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.deny("NoOtherEncryption", { StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } });
    this.deny("NoOtherKey", {
      StringNotEqualsIfExists: { "s3:x-amz-server-side-encryption-aws-kms-key-id": this.key.keyArn },
    });
    new CfnOutput(this, "BucketName", { value: this.bucket.bucketName });
    new CfnOutput(this, "KeyArn", { value: this.key.keyArn });
  }

  /** Refuses writes, whoever makes them. */
  private deny(sid: string, conditions: Record<string, Record<string, string>>): void {
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid,
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ["s3:PutObject"],
        resources: [this.bucket.arnForObjects("*")],
        conditions,
      }),
    );
  }

  /** Lets a service of AWS use the key for this account. */
  private serve(
    sid: string,
    service: string,
    actions: string[],
    conditions: Record<string, Record<string, string>>,
  ): void {
    this.key.addToResourcePolicy(
      new PolicyStatement({ sid, principals: [new ServicePrincipal(service)], actions, resources: ["*"], conditions }),
    );
  }
}
