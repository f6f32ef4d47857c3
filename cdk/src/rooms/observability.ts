// What those who operate the fleet see: an alarm for each thing that asks for a person, and one dashboard.
import { Duration } from "aws-cdk-lib";
import type { RestApi } from "aws-cdk-lib/aws-apigateway";
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  LogQueryWidget,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import type { FunctionSpec } from "../functions";
import type { Names } from "../names";
import type { Fleet } from "./fleet";
import type { Workflow } from "./workflow";

export interface ObservabilityProps {
  readonly names: Names;
  readonly fleet: Fleet;
  readonly workflow: Workflow;
  readonly api: RestApi;
  readonly operators: ITopic;
}

/** When an alarm rings. */
interface Ring {
  readonly id: string;
  readonly metric: IMetric;
  /** From this value on. */
  readonly from: number;
  /** For so many of the last `of` periods. */
  readonly periods?: number;
  readonly of?: number;
  readonly text: string;
}

const period = Duration.minutes(5);

/** A call may take this part of the time that its function has, before somebody should look. */
const LATE = 0.8;

export class Observability extends Construct {
  constructor(
    scope: Construct,
    id: string,
    private readonly props: ObservabilityProps,
  ) {
    super(scope, id);
    const { fleet, workflow, api } = props;
    for (const { spec, made } of fleet.functions) {
      const name = spec.name;
      this.ring({
        id: `${name}-errors`,
        metric: made.metricErrors({ period }),
        from: name === "mcp" || name === "issue-detector" ? 5 : 3,
        text: `${name} fails more often than retries make good`,
      });
      this.ring({
        id: `${name}-throttles`,
        metric: made.metricThrottles({ period }),
        from: 5,
        text: `${name} is called more often than it may run`,
      });
      this.ring({
        id: `${name}-duration`,
        metric: made.metricDuration({ period, statistic: "p99" }),
        from: spec.timeout * 1000 * LATE,
        periods: 2,
        of: 3,
        text: `${name} takes more than ${LATE * 100} % of its time`,
      });
    }
    for (const [machine, { metricFailed, metricTimedOut, metricThrottled }] of metricsOf(workflow)) {
      this.ring({ id: `${machine}-failed`, metric: metricFailed, from: 1, text: `A run of ${machine} failed` });
      this.ring({
        id: `${machine}-timed-out`,
        metric: metricTimedOut,
        from: 1,
        text: `A run of ${machine} took too long`,
      });
      this.ring({ id: `${machine}-throttled`, metric: metricThrottled, from: 1, text: `${machine} is throttled` });
    }
    this.ring({
      id: "api-errors",
      metric: api.metricServerError({ period, statistic: "Sum" }),
      from: 5,
      text: "The API answers with errors of this side",
    });
    this.ring({
      id: "api-refusals",
      metric: api.metricClientError({ period, statistic: "Sum" }),
      from: 100,
      periods: 3,
      of: 3,
      text: "The API refuses unusually many requests",
    });
    this.dashboard();
  }

  private ring({ id, metric, from, periods = 1, of = periods, text }: Ring): void {
    const alarm = new Alarm(this, id, {
      alarmName: `${this.props.names.prefix}-${id}`,
      alarmDescription: `${text}. docs/operations.md says what to do.`,
      metric,
      threshold: from,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: of,
      datapointsToAlarm: periods,
      // A fleet that nobody asks anything of is well.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    const tell = new SnsAction(this.props.operators);
    alarm.addAlarmAction(tell);
    alarm.addOkAction(tell);
  }

  private dashboard(): void {
    const { names, fleet, workflow, api } = this.props;
    const each = (metric: (of: { spec: FunctionSpec; made: ReturnType<Fleet["function"]> }) => IMetric): IMetric[] =>
      fleet.functions.map(metric);
    const machines = [...workflow.machines.values()];
    const graph = (title: string, left: IMetric[]): GraphWidget =>
      new GraphWidget({ title, left, width: 12, height: 6 });
    new Dashboard(this, "Dashboard", {
      dashboardName: names.prefix,
      widgets: [
        [
          graph(
            "Runs",
            machines.flatMap((made) => [made.metricStarted(), made.metricSucceeded(), made.metricFailed()]),
          ),
          graph("API", [api.metricCount(), api.metricClientError(), api.metricServerError()]),
        ],
        [
          graph(
            "Errors",
            each(({ spec, made }) => made.metricErrors({ label: spec.name })),
          ),
          graph(
            "Duration, p99",
            each(({ spec, made }) => made.metricDuration({ statistic: "p99", label: spec.name })),
          ),
        ],
        [
          graph(
            "Concurrent executions",
            each(({ spec, made }) => made.metric("ConcurrentExecutions", { statistic: "Maximum", label: spec.name })),
          ),
          graph(
            "Throttles",
            each(({ spec, made }) => made.metricThrottles({ label: spec.name })),
          ),
        ],
        [
          new LogQueryWidget({
            title: "Tool calls that failed",
            logGroupNames: fleet.functions.map(({ spec }) => names.logGroup("lambda", spec.name)),
            queryLines: [
              "fields @timestamp, capability, tool_name, agent_id, request_id, status, duration_ms, result_summary",
              "filter ispresent(tool_name) and status != 'success'",
              "sort @timestamp desc",
              "limit 50",
            ],
            width: 24,
            height: 8,
          }),
        ],
      ],
    });
  }
}

function metricsOf(
  workflow: Workflow,
): [string, { metricFailed: IMetric; metricTimedOut: IMetric; metricThrottled: IMetric }][] {
  return [...workflow.machines].map(([machine, made]) => [
    machine,
    {
      metricFailed: made.metricFailed({ period }),
      metricTimedOut: made.metricTimedOut({ period }),
      metricThrottled: made.metricThrottled({ period }),
    },
  ]);
}
