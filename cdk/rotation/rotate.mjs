// Rotates the two secrets that the fleet itself made: a new random value comes first, and the one before it still holds
// until the next rotation, so that GitHub and the clients of the MCP endpoint can be given the new one without a gap.
import { randomBytes } from "node:crypto";

/** 48 random bytes as 64 characters that need no quoting anywhere. */
const fresh = () => randomBytes(48).toString("base64url");

/** The new value before the one that is in use; older ones end here. */
export function rotated(current, made = fresh) {
  const inUse = current
    .split(/[,\n]/)
    .map((value) => value.trim())
    .find((value) => value !== "");
  return inUse === undefined ? made() : `${made()},${inUse}`;
}

/** Whether a value has the shape that `rotated` gives. */
const isRotated = (value) => /^[\w-]{64},[^,\s]+$/.test(value);

/** Whether Secrets Manager knows no such version or stage. */
const isMissing = (error) => error?.name === "ResourceNotFoundException";

/**
 * One step of a rotation, as Secrets Manager asks for it. Each step may be asked for again: what is done stays done.
 * `ports` are the calls to AWS: `describe`, `get`, `put`, `promote` and `tell`.
 */
export async function step({ Step, SecretId, ClientRequestToken: token }, ports) {
  const { Name, RotationEnabled, VersionIdsToStages } = await ports.describe(SecretId);
  if (RotationEnabled === false) throw new Error(`${Name}: rotation is not enabled`);
  const stages = VersionIdsToStages?.[token];
  if (stages === undefined) throw new Error(`${Name}: there is no version ${token} to rotate to`);
  if (stages.includes("AWSCURRENT")) return "done";
  if (!stages.includes("AWSPENDING")) throw new Error(`${Name}: the version ${token} is not pending`);

  switch (Step) {
    case "createSecret": {
      try {
        await ports.get(SecretId, { VersionId: token, VersionStage: "AWSPENDING" });
        return "kept";
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      const current = await ports.get(SecretId, { VersionStage: "AWSCURRENT" });
      await ports.put(SecretId, token, rotated(current));
      return "created";
    }
    case "setSecret":
      // Nothing else holds the value: the functions read it anew within five minutes.
      return "nothing to set";
    case "testSecret": {
      const pending = await ports.get(SecretId, { VersionId: token, VersionStage: "AWSPENDING" });
      if (!isRotated(pending)) throw new Error(`${Name}: the new value has not the shape of a rotated one`);
      return "tested";
    }
    case "finishSecret": {
      const current = Object.entries(VersionIdsToStages).find(([, held]) => held.includes("AWSCURRENT"))?.[0];
      await ports.promote(SecretId, token, current);
      await ports.tell(
        `${Name} was rotated`,
        `${Name} has a new value: the part before the comma. Give it to those who use it (${users(Name)}) before the ` +
          "next rotation in 90 days; the part after the comma, which they use now, ends then.\n\n" +
          `aws secretsmanager get-secret-value --secret-id ${Name} --query SecretString --output text | cut -d, -f1\n`,
      );
      return "finished";
    }
    default:
      throw new Error(`there is no step ${Step}`);
  }
}

const users = (name) =>
  name.endsWith("github-webhook-secret") ? "GitHub, under Settings → Webhooks" : "the clients of the MCP endpoint";

/** The entrance of Lambda. */
export async function handler(event) {
  const { ports } = await import("./ports.mjs");
  return step(event, ports());
}
