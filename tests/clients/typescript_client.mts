// The TypeScript MCP client against the built binary: list, call, cancel, read, on stdio and over HTTP, in both protocols.
// usage: node typescript_client.mts BINARY   (with MCP_URL, MCP_API_KEY and DATA of a running server for HTTP)
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

// The packages lie with the other tools of the tests, not beside this file.
const tools = createRequire(pathToFileURL(resolve("target/node-tools/package.json")));
const { Client, StreamableHTTPClientTransport } = await import(
  pathToFileURL(tools.resolve("@modelcontextprotocol/client")).href);
const { StdioClientTransport } = await import(pathToFileURL(tools.resolve("@modelcontextprotocol/client/stdio")).href);

type Result = { isError?: boolean; structuredContent?: Record<string, any>; content: Array<Record<string, any>> };
type Audit = () => Array<Record<string, any>>;

async function call(client: any, name: string, input: object, options?: object): Promise<Result> {
  const result: Result = await client.callTool({ name, arguments: input }, options);
  assert(!result.isError, `${name}: ${result.content[0]?.text}`);
  return result;
}

async function job(client: any, data: string, audit: Audit, reports: boolean, giveUp: string | null): Promise<string> {
  const listed = (await client.listTools()).tools;
  assert(listed.length >= 18 && listed.every((tool: any) => tool.description && tool.inputSchema.type === "object"));

  const loaded = await call(client, "load_dataset", { uri: data });
  assert.equal(loaded.structuredContent?.num_rows, 344);
  const parts = (await call(client, "split_dataset", { dataset_s3_uri: data, target_column: "species" })).structuredContent!;
  const prepare = { dataset_s3_uri: parts.train_uri, target_column: "species", task_type: "classification" };
  const prepared = (await call(client, "preprocess_supervised", prepare)).structuredContent!;
  let heard = 0;
  const train = { train_data_s3_uri: prepared.processed_s3_uri, algorithm: "random_forest" };
  const short = { ...train, training_job_name: "short", hyperparameters: { n_estimators: 50 } };
  const model = await call(client, "train_supervised_classifier", short, { onprogress: () => { heard += 1; } });
  assert(heard > 0 || !reports, "training reports its progress");

  const links = model.content.filter((block) => block.type === "resource_link");
  assert(links.length > 0, "training names its artifacts");
  for (const link of links) {
    const read = await client.readResource({ uri: link.uri });
    assert(read.contents.length > 0, link.uri);
  }
  assert((await client.listResources()).resources.length > 0);

  const refused: Result = await client.callTool({ name: "load_dataset", arguments: { uri: data, limt: 5 } });
  assert(refused.isError && refused.content[0].text.includes("did you mean `limit`"), JSON.stringify(refused));

  const done = `${listed.length} tools, ${links.length} artifacts read, ${heard} messages of progress`;
  // The older protocol over HTTP without sessions carries neither progress nor the end of a call.
  if (giveUp === null) return done;
  const stop = new AbortController();
  const long = { ...train, training_job_name: giveUp, hyperparameters: { n_estimators: 100_000 } };
  const work = client.callTool({ name: "train_supervised_classifier", arguments: long }, { signal: stop.signal });
  setTimeout(() => stop.abort(), 500);
  await assert.rejects(work);
  const given = Date.now();
  for (;;) {
    const ended = audit().filter((line) => line.arguments.training_job_name === giveUp);
    if (ended.length > 0) {
      assert.equal(ended.at(-1)!.status, "TimedOut");
      break;
    }
    assert(Date.now() - given < 20_000, "the server goes on with work that nobody wants");
    await new Promise((later) => setTimeout(later, 50));
  }
  return `${done}, cancelled after ${Date.now() - given} ms`;
}

const auditOf = (home: string): Audit => () => {
  const path = join(home, "logs", "audit.jsonl");
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line));
};

const binary = resolve(process.argv[2]!);
const about = { name: "mlops-test", version: "1.0.0" };
for (const mode of ["auto", "legacy"]) {
  const home = mkdtempSync(join(tmpdir(), "mlops-"));
  const env = { ...process.env, MLOPS_HOME: home } as Record<string, string>;
  const stdio = new Client(about, { versionNegotiation: { mode } });
  await stdio.connect(new StdioClientTransport({ command: binary, args: ["mcp", "--stdio"], env }));
  console.log(`TypeScript client on stdio, ${stdio.getNegotiatedProtocolVersion()}: ` +
    await job(stdio, "examples/penguins.csv", auditOf(home), true, "too-long"));
  await stdio.close();

  const { MCP_URL, MCP_API_KEY, MCP_HOME, DATA } = process.env as Record<string, string>;
  const http = new Client(about, { versionNegotiation: { mode } });
  const headers = { "X-API-Key": MCP_API_KEY! };
  await http.connect(new StreamableHTTPClientTransport(new URL(MCP_URL!), { requestInit: { headers } }));
  console.log(`TypeScript client over HTTP, ${http.getNegotiatedProtocolVersion()}: ` +
    await job(http, DATA!, auditOf(MCP_HOME!), mode === "auto", mode === "auto" ? "too-long" : null));
  await http.close();
}
