// What a deployment is told on the command line (`-c name=value`) or in cdk.json, checked once.
import * as path from "node:path";
import type { Node } from "constructs";

/** How callers of the MCP endpoint show who they are. */
export type McpAuthorization = "key" | "iam";

/** The fleet as a container beside the functions. */
export interface UnifiedMcpServerOptions {
  /** The certificate of the load balancer, in AWS Certificate Manager. */
  readonly certificateArn: string;
  /** The tag of the image in the repository; tags are immutable. */
  readonly imageTag: string;
}

/** What a deployment is told. */
export interface Options {
  /** What every name begins with. */
  readonly prefix: string;
  readonly architecture: "arm64" | "x86_64";
  /** The folder that holds `<function>/bootstrap.zip`. */
  readonly zips: string;
  /** For a server that plays AWS: one stack, without what such servers lack. */
  readonly emulator: boolean;
  readonly mcpAuthorization: McpAuthorization;
  /** New accounts have ten concurrent executions in all, of which none can be reserved. */
  readonly reservedConcurrency: boolean;
  /** Whether answers of MCP are sent as they are made: progress is seen at once, and an answer may have more than 6 MB. */
  readonly mcpStreaming: boolean;
  readonly natGateways: number;
  /** Who is told of alarms and of secrets that are due. */
  readonly operatorMail?: string;
  readonly mailFrom?: string;
  readonly mailTo: readonly string[];
  /** Buckets that hold tables of others. */
  readonly dataBuckets: readonly string[];
  readonly lang: "en" | "ja";
  readonly githubApi?: string;
  readonly githubApp?: string;
  readonly historyRepository?: string;
  readonly historyBranch?: string;
  readonly unifiedMcpServer?: UnifiedMcpServerOptions;
}

const ADDRESS = /^[^@\s]+@[^@\s]+$/;

/** The options of an app. An error names the option and what it may be. */
export function optionsOf(node: Node): Options {
  const text = (name: string): string | undefined => {
    const value: unknown = node.tryGetContext(name);
    return value === undefined || value === null || value === "" ? undefined : String(value);
  };
  const wrong = (name: string, expected: string, found: string): Error =>
    new Error(`-c ${name} must be ${expected}, and is ${JSON.stringify(found)}`);
  const matching = (name: string, pattern: RegExp, expected: string): string | undefined => {
    const value = text(name);
    if (value !== undefined && !pattern.test(value)) throw wrong(name, expected, value);
    return value;
  };
  const oneOf = <T extends string>(name: string, allowed: readonly T[], usual: T): T => {
    const value = text(name) ?? usual;
    if (!(allowed as readonly string[]).includes(value)) throw wrong(name, allowed.join(" or "), value);
    return value as T;
  };
  const yes = (name: string, usual: "true" | "false"): boolean => oneOf(name, ["true", "false"], usual) === "true";
  const list = (name: string, pattern: RegExp, expected: string): string[] => {
    const words = (text(name) ?? "").split(",").map((word) => word.trim());
    const found = words.filter((word) => word !== "");
    for (const word of found) if (!pattern.test(word)) throw wrong(name, expected, word);
    return found;
  };
  const certificateArn = matching("mcpCertificateArn", /^arn:[\w-]+:acm:/, "the ARN of a certificate");
  const imageTag = matching("mcpImageTag", /^[\w][\w.-]{0,127}$/, "the tag of an image");
  if ((certificateArn === undefined) !== (imageTag === undefined)) {
    throw new Error("-c mcpCertificateArn and -c mcpImageTag belong together: the unified MCP server needs both");
  }
  return {
    prefix: matching("prefix", /^[a-z][a-z0-9-]{1,19}$/, "2 to 20 small letters, digits and dashes") ?? "mlops",
    architecture: oneOf("architecture", ["arm64", "x86_64"], "arm64"),
    zips: path.resolve(text("zips") ?? path.join(__dirname, "..", "..", "target", "lambda")),
    emulator: yes("emulator", "false"),
    // Servers that play AWS know no streaming.
    mcpStreaming: yes("mcpStreaming", yes("emulator", "false") ? "false" : "true"),
    mcpAuthorization: oneOf("mcpAuthorization", ["key", "iam"], "key"),
    reservedConcurrency: yes("reservedConcurrency", "true"),
    natGateways: Number(matching("natGateways", /^[1-3]$/, "1, 2 or 3") ?? 1),
    mailTo: list("mailTo", ADDRESS, "mail addresses, separated by commas"),
    dataBuckets: list("dataBuckets", /^[a-z0-9][a-z0-9.-]{2,62}$/, "names of buckets, separated by commas"),
    lang: oneOf("lang", ["en", "ja"], "en"),
    operatorMail: matching("operatorMail", ADDRESS, "a mail address"),
    mailFrom: matching("mailFrom", ADDRESS, "a mail address"),
    githubApi: matching("githubApi", /^https?:\/\//, "an http or https URL"),
    githubApp: matching("githubApp", /^\d+\/\d+$/, "two numbers such as 123/456"),
    historyRepository: matching("historyRepository", /^[^/\s]+\/[^/\s]+$/, "owner/name"),
    historyBranch: matching("historyBranch", /^\S+$/, "the name of a branch"),
    unifiedMcpServer: certificateArn && imageTag ? { certificateArn, imageTag } : undefined,
  };
}
