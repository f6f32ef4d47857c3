// Computes the table of costs from docs/measurements.json; with --write it goes into docs/operations.md.
import * as fs from "node:fs";
import * as path from "node:path";
import { measurementsOf } from "../costs/measurements";
import { table, withTable } from "../costs/table";

const docs = path.join(__dirname, "..", "..", "docs");
const measured = measurementsOf(JSON.parse(fs.readFileSync(path.join(docs, "measurements.json"), "utf8")));
if (process.argv.includes("--write")) {
  const operations = path.join(docs, "operations.md");
  fs.writeFileSync(operations, withTable(fs.readFileSync(operations, "utf8"), measured));
} else {
  process.stdout.write(`${table(measured)}\n`);
}
