// The two topics: what happens to runs, and what those who operate the fleet must see.
import { Aws } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import type { Names } from "../names";
import type { Options } from "../options";

export class Messages extends Construct {
  readonly events: Topic;
  readonly operators: Topic;

  constructor(scope: Construct, id: string, names: Names, options: Options, key: IKey) {
    super(scope, id);
    const topic = (name: string, topicName: string, displayName: string): Topic =>
      new Topic(this, name, {
        topicName,
        displayName,
        enforceSSL: true,
        masterKey: key,
      });
    this.events = topic("Events", names.events, "Runs of the fleet");
    this.operators = topic("Operators", names.operators, "Alarms of the fleet, and secrets that are due");
    // A policy of one's own takes the place of the one that let alarms in.
    this.operators.addToResourcePolicy(
      new PolicyStatement({
        sid: "alarms",
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [this.operators.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
      }),
    );
    if (options.operatorMail !== undefined) {
      this.operators.addSubscription(new EmailSubscription(options.operatorMail));
    }
  }
}
