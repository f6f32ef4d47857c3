// The environment variables of the functions: the settings of lib/core/src/settings.rs that a deployment decides.
import type { FunctionSpec, Setting } from "../functions";
import { MACHINES, type Names } from "../names";
import type { Options } from "../options";

/** The variables of a function. A setting without a value is left to its default. */
export function environmentOf(
  spec: FunctionSpec,
  names: Names,
  options: Options,
  keyArn: string,
): Record<string, string> {
  const groups: Record<Setting, Record<string, string | undefined>> = {
    machines: {
      MLOPS_STATE_MACHINES: MACHINES.map((machine) => `${machine}=${names.machineArn(machine)}`).join(","),
    },
    github: { MLOPS_GITHUB_API: options.githubApi, MLOPS_GITHUB_APP: options.githubApp },
    history: { MLOPS_HISTORY_REPOSITORY: options.historyRepository, MLOPS_HISTORY_BRANCH: options.historyBranch },
    events: { MLOPS_TOPIC_ARN: names.eventsArn },
    streaming: { MLOPS_MCP_STREAMING: options.mcpStreaming ? "true" : undefined },
    mail: { MLOPS_MAIL_FROM: options.mailFrom, MLOPS_MAIL_TO: options.mailTo.join(",") || undefined },
  };
  const variables: Record<string, string | undefined> = {
    MLOPS_STORE: `s3://${names.bucket}/store`,
    MLOPS_BUCKETS: options.dataBuckets.join(",") || undefined,
    MLOPS_KMS_KEY: keyArn,
    MLOPS_LANG: options.lang,
    ...Object.assign({}, ...spec.settings.map((group) => groups[group])),
  };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
