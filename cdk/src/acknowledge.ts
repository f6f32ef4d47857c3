// Acknowledged findings of cdk-nag. Each has its reason, and each wildcard is named on its own.
import { Stack, Validations } from "aws-cdk-lib";
import type { Role } from "aws-cdk-lib/aws-iam";
import type { IConstruct } from "constructs";

/** Accepts findings of cdk-nag on a construct and what lies below it. */
export function acknowledge(construct: IConstruct, findings: Readonly<Record<string, string>>): void {
  const rules = Object.entries(findings).map(([rule, reason]) => ({ id: `AwsSolutions-${rule}`, reason }));
  for (const below of construct.node.findAll()) Validations.of(below).acknowledge(...rules);
}

/** How cdk-nag writes a resource that holds references. */
function shown(construct: IConstruct, resource: string): string {
  const resolved: unknown = Stack.of(construct).resolve(resource);
  const part = (value: unknown): string => {
    if (typeof value === "string") return value;
    const [intrinsic, argument] = Object.entries(value as Record<string, unknown>)[0] ?? [];
    if (intrinsic === "Ref") return `<${String(argument)}>`;
    if (intrinsic === "Fn::GetAtt") return `<${(argument as string[]).join(".")}>`;
    if (intrinsic === "Fn::Join") return ((argument as unknown[])[1] as unknown[]).map(part).join("");
    return JSON.stringify(value);
  };
  return part(resolved);
}

/** Accepts resources that end with a wildcard, which a prefix of a bucket or a family of executions cannot do without. */
export function acknowledgeWildcards(role: Role, resources: readonly string[], reason: string): void {
  const findings = resources
    .filter((resource) => resource.includes("*"))
    .map((resource) => [`IAM5[Resource::${shown(role, resource)}]`, reason] as const);
  acknowledge(role, Object.fromEntries(findings));
}
