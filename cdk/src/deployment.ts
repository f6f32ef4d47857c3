// The stacks of a deployment, in the order in which they are made.
import { Stack, Tags, Validations } from "aws-cdk-lib";
import type { App, StackProps } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { Names } from "./names";
import { type Options } from "./options";
import { Api } from "./rooms/api";
import { Audit } from "./rooms/audit";
import { Firewall } from "./rooms/firewall";
import { Fleet } from "./rooms/fleet";
import { Messages } from "./rooms/messages";
import { Network } from "./rooms/network";
import { Observability } from "./rooms/observability";
import { Rotation, Secrets } from "./rooms/secrets";
import { Storage } from "./rooms/storage";
import { SupplyChain } from "./rooms/supply-chain";
import { UnifiedMcpServer } from "./rooms/unified-mcp-server";
import { Workflow } from "./rooms/workflow";

/** The fleet in an AWS account. */
export function deployment(app: App, options: Options): void {
  const names = new Names(options.prefix);
  const stack = (name: string, description: string): Stack => {
    const props: StackProps = { stackName: `${options.prefix}-${name}`, description };
    return new Stack(app, `${options.prefix}-${name}`, props);
  };

  const storageStack = stack("storage", "The key, the bucket and the audit trail of the fleet");
  const storage = new Storage(storageStack, "Storage", names);
  new Audit(storageStack, "Audit", names, storage);
  const { key } = storage;

  const messagesStack = stack("messages", "The topics of the fleet");
  const messages = new Messages(messagesStack, "Messages", names, options, key);

  const secretsStack = stack("secrets", "The secrets of the fleet and their rotation");
  const secrets = new Secrets(secretsStack, "Secrets", key);
  secretsStack.addStackDependency(messagesStack);
  new Rotation(secretsStack, "Rotation", { names, secrets, key });

  const network = new Network(stack("network", "The network of the fleet"), "Network", names, options, key);

  const fleetStack = stack("fleet", "The functions of the fleet");
  const fleet = new Fleet(fleetStack, "Fleet", { names, options, key, network });

  const workflow = new Workflow(stack("workflow", "The state machines of the fleet"), "Workflow", names, fleet, key);

  const apiStack = stack("api", "GitHub's webhook and the MCP endpoint");
  const { api } = new Api(apiStack, "Api", { names, options, fleet, key });
  new Firewall(apiStack, "Firewall", names, api, key);

  new Observability(stack("observability", "The alarms and the dashboard of the fleet"), "Observability", {
    names,
    fleet,
    workflow,
    api,
    operators: messages.operators,
  });

  const { unifiedMcpServer: server } = options;
  const { repository } = new SupplyChain(stack("supply-chain", "The images of the fleet"), "SupplyChain", names, key);
  if (server !== undefined) {
    const serverStack = stack("unified-mcp-server", "The MCP endpoint as containers");
    new UnifiedMcpServer(serverStack, "Server", { names, options, server, key, network, repository });
  }

  Tags.of(app).add("application", options.prefix);
}

/** Has cdk-nag look at the app when it is synthesised: what it finds and nobody has accepted ends the synthesis. */
export function checked(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
}
