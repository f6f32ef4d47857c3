// The stacks as CloudFormation would get them, from functions whose zips hold nothing.
import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { deployment } from "../src/deployment";
import { emulated } from "../src/emulated";
import { FUNCTIONS } from "../src/functions";
import { type Options, optionsOf } from "../src/options";

/** The root of the repository. */
export const REPOSITORY = path.join(__dirname, "..", "..");

/** The text of a file of the repository. */
export const read = (file: string): string => fs.readFileSync(path.join(REPOSITORY, file), "utf8");

const CONTEXT = (JSON.parse(read("cdk/cdk.json")) as { context: Record<string, unknown> }).context;

/** Everything that can be deployed. */
export const WHOLE = {
  mcpCertificateArn: "arn:aws:acm:us-east-1:123456789012:certificate/0",
  mcpImageTag: "v1",
  mailFrom: "fleet@example.com",
  mailTo: "team@example.com",
  operatorMail: "operators@example.com",
  dataBuckets: "tables-of-others",
};

/** A folder with a zip for each function. */
export function zips(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "zips-"));
  for (const { name } of FUNCTIONS) {
    fs.mkdirSync(path.join(folder, name));
    fs.writeFileSync(path.join(folder, name, "bootstrap.zip"), name);
  }
  process.once("exit", () => fs.rmSync(folder, { recursive: true }));
  return folder;
}

const ZIPS = zips();

/** An app with those options, and its options. */
export function app(given: Record<string, string> = {}): { app: App; options: Options } {
  const outdir = fs.mkdtempSync(path.join(os.tmpdir(), "cdk-"));
  process.once("exit", () => fs.rmSync(outdir, { recursive: true, force: true }));
  const made = new App({ outdir, context: { ...CONTEXT, zips: ZIPS, ...given } });
  return { app: made, options: optionsOf(made.node) };
}

const KNOWN = new Map<string, Record<string, Template>>();

/** The templates of a deployment, by the name of the stack without its prefix. */
export function templates(given: Record<string, string> = WHOLE): Record<string, Template> {
  const key = JSON.stringify(given);
  const known = KNOWN.get(key) ?? synthesised(given);
  KNOWN.set(key, known);
  return known;
}

function synthesised(given: Record<string, string>): Record<string, Template> {
  const { app: made, options } = app(given);
  if (options.emulator) emulated(made, options);
  else deployment(made, options);
  const stacks = made.node.children.filter((child): child is Stack => child instanceof Stack);
  return Object.fromEntries(
    stacks.map((stack) => [stack.stackName.replace(`${options.prefix}-`, ""), Template.fromStack(stack)]),
  );
}

/** A resource of a template, as plain JSON. */
export interface Resource {
  readonly Type: string;
  readonly Properties: any;
  readonly DeletionPolicy?: string;
}

/** The resources of that type in all templates. */
export function resources(all: Record<string, Template>, type: string): [string, Resource][] {
  return Object.entries(all).flatMap(([stack, template]) =>
    Object.entries(template.toJSON()["Resources"] as Record<string, Resource>)
      .filter(([, resource]) => resource.Type === type)
      .map(([id, resource]): [string, Resource] => [`${stack}/${id}`, resource]),
  );
}

/** One statement of a policy. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: unknown;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
}

/** One value or several, as a list. */
export const list = <T>(value: T | T[] | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** Every statement of every policy of a role. */
export function statements(all: Record<string, Template>): [string, Statement][] {
  return [
    ...resources(all, "AWS::IAM::Policy").flatMap(([id, { Properties }]) =>
      (Properties.PolicyDocument.Statement as Statement[]).map((statement): [string, Statement] => [id, statement]),
    ),
    ...resources(all, "AWS::IAM::Role").flatMap(([id, { Properties }]) =>
      list(Properties.Policies as { PolicyDocument: { Statement: Statement[] } }[] | undefined).flatMap((policy) =>
        policy.PolicyDocument.Statement.map((statement): [string, Statement] => [id, statement]),
      ),
    ),
  ];
}
