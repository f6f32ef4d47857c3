// The functions of the fleet: which tools each calls, and how much memory and time it has.
import { BESIDE_TOOLS, NEEDS, type ToolName } from "./permissions";
import type { Need } from "./tables/needs";

/** One function. */
export interface FunctionSpec {
  /** The folder below functions/, and of the zip. */
  readonly name: string;
  readonly text: string;
  /** In MB. 1,769 MB are one processor. */
  readonly memory: number;
  /** In seconds: the longest of the states that call it. */
  readonly timeout: number;
  /** How many run at once. */
  readonly concurrency: number;
  readonly tools: readonly ToolName[];
  readonly beside: readonly Need[];
  /** The settings that it reads beside those of the store. */
  readonly settings: readonly Setting[];
}

/** The groups of settings that cdk/ gives to functions. */
export type Setting = "machines" | "github" | "history" | "events" | "mail" | "streaming";

const { claims, webhook, look, messages, endpoint } = BESIDE_TOOLS;

/** The agents, one function each. */
export const AGENTS: readonly FunctionSpec[] = [
  {
    name: "issue-detector",
    text: "Takes GitHub's deliveries, and starts runs.",
    memory: 512,
    timeout: 60,
    concurrency: 20,
    tools: ["detect_mlops_issue", "parse_issue_config", "validate_training_params", "start_workflow"],
    beside: webhook,
    settings: ["machines", "github"],
  },
  {
    name: "planner",
    text: "Looks at the data of a run, and says in its issue what will be done.",
    memory: 1024,
    timeout: 300,
    concurrency: 10,
    tools: ["validate_training_params", "post_issue_comment"],
    beside: [...claims, ...look],
    settings: ["github"],
  },
  {
    name: "data-preparation",
    text: "Loads, checks, splits and prepares a table.",
    memory: 3072,
    timeout: 900,
    concurrency: 10,
    tools: ["load_dataset", "validate_data", "split_dataset", "preprocess_supervised", "preprocess_unsupervised"],
    beside: claims,
    settings: [],
  },
  {
    name: "training",
    text: "Trains models, and registers them.",
    memory: 5120,
    timeout: 900,
    concurrency: 10,
    tools: [
      "train_supervised_classifier",
      "train_supervised_regressor",
      "train_unsupervised_clustering",
      "train_unsupervised_dimensionality_reduction",
      "hyperparameter_optimization",
      "register_model",
      "list_model_versions",
      "update_model_status",
    ],
    beside: claims,
    settings: [],
  },
  {
    name: "evaluation",
    text: "Evaluates a model against the champion, and writes the report.",
    memory: 3072,
    timeout: 900,
    concurrency: 10,
    tools: [
      "evaluate_classifier",
      "evaluate_regressor",
      "evaluate_clustering",
      "create_evaluation_report",
      "list_model_versions",
    ],
    beside: claims,
    settings: [],
  },
  {
    name: "judge",
    text: "Holds the evidence against the gates.",
    memory: 256,
    timeout: 60,
    concurrency: 10,
    tools: [],
    beside: claims,
    settings: [],
  },
  {
    name: "rollback",
    text: "Verifies a registered model, and puts an earlier one in its place.",
    memory: 1024,
    timeout: 300,
    concurrency: 5,
    tools: ["rollback_model", "list_model_versions", "update_model_status"],
    beside: claims,
    settings: [],
  },
  {
    name: "notification",
    text: "Tells people how a run ended, and asks them.",
    memory: 256,
    timeout: 120,
    concurrency: 10,
    tools: ["apply_notification_template", "send_email_notification", "send_github_notification"],
    beside: [...claims, ...messages],
    settings: ["events", "mail", "github"],
  },
  {
    name: "history-writer",
    text: "Remembers a run, and says in its issue how it ended.",
    memory: 256,
    timeout: 120,
    concurrency: 10,
    tools: ["commit_to_github", "format_training_history", "post_issue_comment"],
    beside: claims,
    settings: ["github", "history"],
  },
];

/** Every tool behind one endpoint. The gateway waits 29 s, so a call must be told earlier that it takes too long. */
export const MCP: FunctionSpec = {
  name: "mcp",
  text: "Every tool behind one MCP endpoint.",
  memory: 4096,
  timeout: 29,
  concurrency: 15,
  tools: [...NEEDS.keys()] as ToolName[],
  beside: endpoint,
  settings: ["machines", "github", "history", "mail", "streaming"],
};

/** Every function. */
export const FUNCTIONS: readonly FunctionSpec[] = [...AGENTS, MCP];

/** What a function needs: what its tools need, and what it does beside them. */
export function needsOf(spec: FunctionSpec): readonly Need[] {
  return [...spec.tools.flatMap((tool) => NEEDS.get(tool) ?? []), ...spec.beside];
}

/** The variable of a state machine's definition that holds a function's ARN: `issue-detector` → `IssueDetectorFunctionArn`. */
export function substitutionOf(name: string): string {
  const words = name.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join("")}FunctionArn`;
}
