// The one table of what each tool needs. A function may do what its tools need, and nothing else.
import { deletes, mails, type Need, publishes, reads, secrets, starts, steers, tables, writes } from "./tables/needs";

const trainedOn: Need[] = [...tables, ...reads("processed", "models"), ...writes("models")];
const evaluated: Need[] = [...tables, ...reads("processed", "models", "evaluations"), ...writes("evaluations")];
const registered: Need[] = [...reads("registry"), ...writes("registry")];
const artifacts: Need[] = reads("processed", "models", "evaluations", "reports", "history");
const sent: Need[] = [...reads("notifications"), ...writes("notifications")];

/** What each tool needs. The keys are the files of lib/capabilities/<room>/src/tools. */
export const TOOLS = {
  github_integration: {
    detect_mlops_issue: [...secrets("mlops/github-webhook-secret"), ...reads("deliveries")],
    parse_issue_config: secrets("mlops/github-token"),
    // A request is checked by itself: who looks at its data too has `look` beside.
    validate_training_params: [],
    start_workflow: [...starts("training", "rollback"), ...reads("inputs"), ...writes("inputs")],
  },
  data_preparation: {
    load_dataset: [...tables, ...reads("processed")],
    validate_data: [...tables, ...reads("processed")],
    split_dataset: [...tables, ...reads("processed"), ...writes("processed"), ...deletes("processed")],
    preprocess_supervised: [...tables, ...reads("processed"), ...writes("processed"), ...deletes("processed")],
    preprocess_unsupervised: [...tables, ...reads("processed"), ...writes("processed"), ...deletes("processed")],
  },
  ml_training: {
    train_supervised_classifier: trainedOn,
    train_supervised_regressor: trainedOn,
    train_unsupervised_clustering: trainedOn,
    train_unsupervised_dimensionality_reduction: trainedOn,
    hyperparameter_optimization: trainedOn,
  },
  ml_evaluation: {
    evaluate_classifier: evaluated,
    evaluate_regressor: evaluated,
    evaluate_clustering: evaluated,
    generate_confusion_matrix: evaluated,
    generate_roc_curve: evaluated,
    create_evaluation_report: [...evaluated, ...reads("reports"), ...writes("reports")],
  },
  model_registry: {
    register_model: [...registered, ...tables, ...reads("processed", "models"), ...writes("models")],
    list_model_versions: reads("registry"),
    update_model_status: registered,
    rollback_model: [...registered, ...reads("models")],
  },
  notification: {
    apply_notification_template: [],
    send_email_notification: [...mails, ...sent, ...artifacts],
    send_github_notification: [...secrets("mlops/github-token"), ...sent],
  },
  history_management: {
    commit_to_github: [...secrets("mlops/github-token"), ...artifacts],
    format_training_history: [...reads("history"), ...writes("history")],
    post_issue_comment: [...secrets("mlops/github-token"), ...reads("history"), ...writes("history")],
  },
} as const satisfies Record<string, Record<string, readonly Need[]>>;

/** A capability, by its id. */
export type Capability = keyof typeof TOOLS;

/** A tool, by its wire name. */
export type ToolName = { [C in Capability]: keyof (typeof TOOLS)[C] }[Capability] & string;

/** Every tool, with what it needs. */
export const NEEDS = new Map<string, readonly Need[]>(Object.values(TOOLS).flatMap((room) => Object.entries(room)));

/** The capability of a tool. */
export function capabilityOf(tool: string): Capability {
  const found = (Object.keys(TOOLS) as Capability[]).find((capability) => tool in TOOLS[capability]);
  if (found === undefined) throw new Error(`there is no tool ${tool} in the table of permissions`);
  return found;
}

/** What functions need beside their tools. */
export const BESIDE_TOOLS = {
  /** Large results and large inputs lie in the store, and a task's payload says where. */
  claims: [...reads("results", "inputs"), ...writes("results")],
  /** What was delivered, which runs an issue has, what a person answered, and what becomes of a run. */
  webhook: [
    ...reads("deliveries", "issue_runs", "approvals"),
    ...writes("deliveries", "issue_runs", "approvals"),
    ...deletes("deliveries"),
    ...steers("training", "rollback"),
  ],
  /** Looking at the data of a request: its columns, its classes, its size. */
  look: [...tables, ...reads("processed")],
  /** Asking for an approval, and telling people. */
  messages: [...reads("approvals"), ...writes("approvals"), ...publishes],
  /** The key of callers, and the calls that take long. Artifacts are resources that clients read. */
  endpoint: [
    ...secrets("mlops/mcp-api-key"),
    ...reads("jobs", "reports", "evaluations", "history"),
    ...writes("jobs"),
    ...deletes("jobs"),
  ],
} as const satisfies Record<string, readonly Need[]>;
