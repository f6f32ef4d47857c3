// The repository of the image of the unified MCP server: scanned when an image is pushed, and no tag ever moves.
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { Repository, RepositoryEncryption, TagMutability, TagStatus } from "aws-cdk-lib/aws-ecr";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import type { Names } from "../names";

export class SupplyChain extends Construct {
  readonly repository: Repository;

  constructor(scope: Construct, id: string, names: Names, key: IKey) {
    super(scope, id);
    this.repository = new Repository(this, "Images", {
      repositoryName: `${names.prefix}/mcp`,
      imageScanOnPush: true,
      imageTagMutability: TagMutability.IMMUTABLE,
      encryption: RepositoryEncryption.KMS,
      encryptionKey: key,
      lifecycleRules: [
        { description: "Layers that no tag needs", tagStatus: TagStatus.UNTAGGED, maxImageAge: Duration.days(7) },
        { description: "The last twenty images", maxImageCount: 20 },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}
