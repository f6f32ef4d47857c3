// The rotation of secrets, against a Secrets Manager that is played here by its rules.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ageInDays, remind, reminder } from "../rotation/remind.mjs";
import { rotated, step } from "../rotation/rotate.mjs";

const NAME = "mlops/mcp-api-key";
const STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/** One secret with its versions: what a rotation asks of Secrets Manager, and what it tells people. */
class Played {
  values = new Map<string, string>([["first", "a".repeat(64)]]);
  stages: Record<string, string[]> = { first: ["AWSCURRENT"] };
  told: string[][] = [];
  enabled = true;

  begin(token: string): void {
    this.stages[token] = ["AWSPENDING"];
  }

  valueOf(stage: string): string | undefined {
    const version = Object.entries(this.stages).find(([, held]) => held.includes(stage))?.[0];
    return version === undefined ? undefined : this.values.get(version);
  }

  get ports() {
    return {
      describe: async () => ({
        Name: NAME,
        RotationEnabled: this.enabled,
        VersionIdsToStages: structuredClone(this.stages),
      }),
      get: async (_: string, { VersionId, VersionStage }: { VersionId?: string; VersionStage: string }) => {
        const version =
          VersionId ?? Object.entries(this.stages).find(([, held]) => held.includes(VersionStage))?.[0] ?? "";
        const value = this.values.get(version);
        if (value === undefined) throw Object.assign(new Error("no value"), { name: "ResourceNotFoundException" });
        return value;
      },
      put: async (_: string, token: string, value: string) => {
        if (this.values.has(token)) throw new Error("a version is written once");
        this.values.set(token, value);
      },
      promote: async (_: string, to: string, from: string) => {
        assert.ok(this.stages[from]?.includes("AWSCURRENT"), "who is replaced was in use");
        for (const held of Object.values(this.stages))
          held.splice(0, held.length, ...held.filter((s) => s !== "AWSPREVIOUS"));
        this.stages[from] = ["AWSPREVIOUS"];
        this.stages[to] = ["AWSCURRENT"];
      },
      tell: async (...words: string[]) => void this.told.push(words),
    };
  }
}

async function rotate(played: Played, token: string): Promise<void> {
  played.begin(token);
  for (const Step of STEPS) await step({ Step, SecretId: NAME, ClientRequestToken: token }, played.ports);
}

test("a rotation makes a new value first, and keeps the one in use until the next", async () => {
  const played = new Played();
  const first = played.valueOf("AWSCURRENT") ?? "";
  await rotate(played, "second");
  const [second, kept, ...more] = (played.valueOf("AWSCURRENT") ?? "").split(",");
  assert.deepEqual([kept, more], [first, []]);
  assert.match(second ?? "", /^[\w-]{64}$/);
  await rotate(played, "third");
  const [third, stillKept, ...older] = (played.valueOf("AWSCURRENT") ?? "").split(",");
  assert.deepEqual([stillKept, older], [second, []], "the first value holds no more");
  assert.notEqual(third, second);
  assert.equal(played.stages["second"]?.[0], "AWSPREVIOUS");
});

test("each step may be asked for again, and changes nothing more", async () => {
  const played = new Played();
  played.begin("second");
  const made: (string | undefined)[] = [];
  for (const Step of STEPS) {
    for (let again = 0; again < 3; again += 1) {
      await step({ Step, SecretId: NAME, ClientRequestToken: "second" }, played.ports);
      made.push(played.values.get("second"));
    }
  }
  assert.equal(new Set(made).size, 1);
  assert.equal(played.told.length, 1);
});

test("people are told where the new value goes, and not the value", async () => {
  const played = new Played();
  await rotate(played, "second");
  const [[subject, text] = []] = played.told;
  assert.match(subject ?? "", /^.{1,100}$/);
  assert.match(text ?? "", /clients of the MCP endpoint/);
  for (const value of played.values.values()) {
    for (const part of value.split(",")) assert.ok(!(text ?? "").includes(part));
  }
});

test("a rotation that was not asked for is refused", async () => {
  const played = new Played();
  const ask = (Step: string, token: string): Promise<unknown> =>
    step({ Step, SecretId: NAME, ClientRequestToken: token }, played.ports);
  await assert.rejects(ask("createSecret", "unknown"), /no version unknown/);
  played.stages["stale"] = ["AWSPREVIOUS"];
  await assert.rejects(ask("createSecret", "stale"), /not pending/);
  played.begin("second");
  await assert.rejects(ask("invent", "second"), /no step invent/);
  await assert.rejects(ask("testSecret", "second"), { name: "ResourceNotFoundException" });
  played.values.set("second", "what somebody typed");
  await assert.rejects(ask("testSecret", "second"), /not the shape/);
  played.enabled = false;
  await assert.rejects(ask("createSecret", "second"), /not enabled/);
  assert.equal(played.valueOf("AWSCURRENT"), "a".repeat(64));
});

test("values by hand are rotated too, and an empty one gets a first value", () => {
  const made = (): string => "n";
  assert.equal(rotated("one", made), "n,one");
  assert.equal(rotated(" one \n two", made), "n,one");
  assert.equal(rotated("one,two", made), "n,one");
  assert.equal(rotated("", made), "n");
});

const DAY = 24 * 60 * 60 * 1000;
const now = Date.UTC(2030, 0, 1);
const aged = (days: number) => ({
  VersionIdsToStages: { v: ["AWSCURRENT"] },
  LastChangedDate: new Date(now - days * DAY),
  CreatedDate: new Date(now - 1000 * DAY),
});

test("a person is reminded of the secrets that are due, once a day and by name", async () => {
  const described: Record<string, unknown> = { old: aged(91), new: aged(89), empty: { CreatedDate: new Date(0) } };
  const told: string[][] = [];
  const ports = {
    describe: async (name: string) => described[name],
    tell: async (...words: string[]) => void told.push(words),
  };
  assert.equal((await remind(["old", "new", "empty"], 90, now, ports)).due, true);
  assert.equal(told.length, 1);
  assert.match(told[0]?.[1] ?? "", /- old: 91 days old/);
  assert.doesNotMatch(told[0]?.[1] ?? "", /- (new|empty)/);
  assert.equal((await remind(["new", "empty"], 90, now, ports)).due, false);
  assert.equal(told.length, 1);
});

test("the age of a secret counts from its last value", () => {
  assert.equal(ageInDays(aged(90), now), 90);
  assert.equal(ageInDays({ ...aged(0), VersionIdsToStages: {} }, now), undefined, "it never had one");
  assert.equal(reminder([{ name: "a", age: 89 }], 90), undefined);
});
