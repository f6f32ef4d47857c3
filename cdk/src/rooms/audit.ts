// What was done to the account: a CloudTrail trail with validated log files, kept for ninety days.
import { Aws, Duration, RemovalPolicy } from "aws-cdk-lib";
import { ReadWriteType, Trail } from "aws-cdk-lib/aws-cloudtrail";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { Names } from "../names";
import { LOG_DAYS, type Storage } from "./storage";

export class Audit extends Construct {
  constructor(scope: Construct, id: string, names: Names, storage: Storage) {
    super(scope, id);
    const trailName = `${names.prefix}-audit`;
    const trailArn = `arn:${Aws.PARTITION}:cloudtrail:${Aws.REGION}:${Aws.ACCOUNT_ID}:trail/${trailName}`;
    const bucket = new Bucket(this, "Bucket", {
      encryption: BucketEncryption.KMS,
      encryptionKey: storage.key,
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      serverAccessLogsBucket: storage.accessLogs,
      serverAccessLogsPrefix: "audit/",
      lifecycleRules: [
        {
          expiration: Duration.days(LOG_DAYS),
          noncurrentVersionExpiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    storage.key.addToResourcePolicy(
      new PolicyStatement({
        sid: "trail",
        principals: [new ServicePrincipal("cloudtrail.amazonaws.com")],
        actions: ["kms:GenerateDataKey*", "kms:DescribeKey"],
        resources: ["*"],
        conditions: { StringEquals: { "aws:SourceArn": trailArn } },
      }),
    );
    // Management events hold the calls to Secrets Manager, Lambda, Step Functions and ECS in every region.
    const trail = new Trail(this, "Trail", {
      trailName,
      bucket,
      encryptionKey: storage.key,
      enableFileValidation: true,
      isMultiRegionTrail: true,
      includeGlobalServiceEvents: true,
      managementEvents: ReadWriteType.ALL,
    });
    trail.addS3EventSelector([{ bucket: storage.bucket }], { includeManagementEvents: false });
  }
}
