// Says which secrets are due: those that others issue (GitHub's token, the addresses of webhooks, a mail password) can only
// be replaced by a person.

const DAY = 24 * 60 * 60 * 1000;

/** The days since a secret was given a value; `undefined` when it never was. */
export function ageInDays({ VersionIdsToStages, LastChangedDate, CreatedDate }, now) {
  const hasValue = Object.values(VersionIdsToStages ?? {}).some((stages) => stages.includes("AWSCURRENT"));
  if (!hasValue) return undefined;
  return Math.floor((now - (LastChangedDate ?? CreatedDate)) / DAY);
}

/** What is said of the secrets that are due, or `undefined` when none is. */
export function reminder(secrets, longest) {
  const due = secrets.filter(({ age }) => age !== undefined && age >= longest);
  if (due.length === 0) return undefined;
  const lines = due.map(({ name, age }) => `- ${name}: ${age} days old`);
  return [
    `These secrets are older than ${longest} days:`,
    ...lines,
    "",
    "Issue a new one where the old one came from, store it, and withdraw the old one:",
    "aws secretsmanager put-secret-value --secret-id NAME --secret-string file:///dev/stdin",
    "",
  ].join("\n");
}

/** Looks at the secrets, and tells those who operate the fleet. `ports` are the calls to AWS. */
export async function remind(names, longest, now, ports) {
  const secrets = await Promise.all(
    names.map(async (name) => ({ name, age: ageInDays(await ports.describe(name), now) })),
  );
  const text = reminder(secrets, longest);
  if (text !== undefined) await ports.tell("Secrets of the fleet are due", text);
  return { due: text !== undefined, secrets };
}

/** The entrance of Lambda. */
export async function handler() {
  const { ports } = await import("./ports.mjs");
  return remind(process.env.SECRETS.split(","), Number(process.env.LONGEST_DAYS), Date.now(), ports());
}
