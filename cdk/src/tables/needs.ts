// What a tool or a function may need, and the actions and resources that each need stands for.
import { Aws } from "aws-cdk-lib";
import { Effect, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Machine, Names, SecretName } from "../names";

/** The folders of the bucket. `data` is what people put there; the others lie below MLOPS_STORE. */
export const FOLDERS = [
  "data",
  "processed",
  "models",
  "evaluations",
  "reports",
  "registry",
  "history",
  "approvals",
  "deliveries",
  "issue_runs",
  "inputs",
  "results",
  "jobs",
  "notifications",
] as const;
export type Folder = (typeof FOLDERS)[number];

/** One need. */
export type Need =
  | { readonly kind: "read" | "write" | "delete"; readonly folder: Folder }
  | { readonly kind: "tables" }
  | { readonly kind: "secret"; readonly secret: SecretName }
  | { readonly kind: "start" | "steer"; readonly machine: Machine }
  | { readonly kind: "publish" }
  | { readonly kind: "mail" };

export const reads = (...folders: Folder[]): Need[] => folders.map((folder) => ({ kind: "read", folder }));
export const writes = (...folders: Folder[]): Need[] => folders.map((folder) => ({ kind: "write", folder }));
export const deletes = (...folders: Folder[]): Need[] => folders.map((folder) => ({ kind: "delete", folder }));
/** Tables of people: `data/` of the bucket, and the buckets of `-c dataBuckets`. */
export const tables: Need[] = [...reads("data"), { kind: "tables" }];
export const secrets = (...names: SecretName[]): Need[] => names.map((secret) => ({ kind: "secret", secret }));
export const starts = (...machines: Machine[]): Need[] => machines.map((machine) => ({ kind: "start", machine }));
export const steers = (...machines: Machine[]): Need[] => machines.map((machine) => ({ kind: "steer", machine }));
export const publishes: Need[] = [{ kind: "publish" }];
export const mails: Need[] = [{ kind: "mail" }];

/** The actions of each kind of need: nothing else is allowed to any function. */
export const ACTIONS = {
  read: ["s3:GetObject", "s3:GetObjectVersion"],
  tables: ["s3:GetObject", "s3:GetObjectVersion"],
  write: ["s3:PutObject", "s3:AbortMultipartUpload"],
  delete: ["s3:DeleteObject"],
  // Without it S3 answers 403 for an object that is not there, and a function could not tell the two apart.
  list: ["s3:ListBucket"],
  secret: ["secretsmanager:GetSecretValue"],
  start: ["states:StartExecution"],
  machine: ["states:ListExecutions", "states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"],
  execution: ["states:DescribeExecution", "states:DescribeStateMachineForExecution", "states:GetExecutionHistory"],
  steer: ["states:StopExecution", "states:RedriveExecution"],
  publish: ["sns:Publish"],
  mail: ["ses:SendRawEmail"],
  unseal: ["kms:Decrypt"],
  seal: ["kms:GenerateDataKey"],
} as const satisfies Record<string, readonly string[]>;

/** Where the needs of a deployment are met. */
export interface Places {
  readonly names: Names;
  readonly keyArn: string;
  readonly dataBuckets: readonly string[];
  /** The address that mail is sent from; without one no mail can be sent. */
  readonly mailFrom?: string;
}

/** The key of an object of that folder, for a resource of a policy. */
export const folderKey = (folder: Folder): string => (folder === "data" ? "data/*" : `store/${folder}/*`);

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)].sort();

/** The statements that meet those needs, and no more. */
export function statementsOf(
  needs: readonly Need[],
  { names, keyArn, dataBuckets, mailFrom }: Places,
): PolicyStatement[] {
  const statements: PolicyStatement[] = [];
  const allow = (
    actions: readonly string[],
    resources: readonly string[],
    conditions?: Record<string, unknown>,
  ): void => {
    if (resources.length === 0) return;
    statements.push(
      new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: unique(resources), conditions }),
    );
  };
  const folders = (kind: "read" | "write" | "delete"): string[] =>
    needs.flatMap((need) => (need.kind === kind ? [`${names.bucketArn}/${folderKey(need.folder)}`] : []));
  const machines = (...kinds: string[]): Machine[] =>
    unique(needs.flatMap((need) => (kinds.includes(need.kind) && "machine" in need ? [need.machine] : [])));
  const has = (...kinds: Need["kind"][]): boolean => needs.some((need) => kinds.includes(need.kind));

  const others = has("tables") ? dataBuckets.map((bucket) => `arn:${Aws.PARTITION}:s3:::${bucket}`) : [];
  allow(ACTIONS.read, [...folders("read"), ...others.map((bucket) => `${bucket}/*`)]);
  allow(ACTIONS.write, folders("write"));
  allow(ACTIONS.delete, folders("delete"));
  const touchesBucket = has("read", "write", "delete", "tables");
  allow(ACTIONS.list, touchesBucket ? [names.bucketArn, ...others] : []);
  allow(
    ACTIONS.secret,
    needs.flatMap((need) => (need.kind === "secret" ? [names.secretArn(need.secret)] : [])),
  );
  allow(
    ACTIONS.start,
    machines("start", "steer").map((machine) => names.machineArn(machine)),
  );
  allow(
    ACTIONS.execution,
    machines("start", "steer").map((machine) => names.executionArns(machine)),
  );
  allow(
    ACTIONS.machine,
    machines("steer").map((machine) => names.machineArn(machine)),
  );
  allow(
    ACTIONS.steer,
    machines("steer").map((machine) => names.executionArns(machine)),
  );
  allow(ACTIONS.publish, has("publish") ? [names.eventsArn] : []);
  if (has("mail") && mailFrom !== undefined) {
    // Who has verified readers is asked for a right over them too; the sender is what is held.
    const identities = `arn:${Aws.PARTITION}:ses:${Aws.REGION}:${Aws.ACCOUNT_ID}:identity/*`;
    allow(ACTIONS.mail, [identities], { StringEquals: { "ses:FromAddress": mailFrom } });
  }
  // The key is used by the services in the name of the function, never by the function itself.
  const through = unique([
    ...(touchesBucket ? ["s3"] : []),
    ...(has("secret") ? ["secretsmanager"] : []),
    ...(has("publish") ? ["sns"] : []),
  ]);
  if (through.length > 0) {
    const seals = has("write", "publish") ? ACTIONS.seal : [];
    allow([...ACTIONS.unseal, ...seals], [keyArn], {
      StringEquals: { "kms:ViaService": through.map((service) => `${service}.${Aws.REGION}.amazonaws.com`) },
    });
  }
  return statements;
}
