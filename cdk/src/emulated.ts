// The same rooms in one stack, for a server that plays AWS: without the network, the firewall, the containers, the audit
// trail, the alarms and the rotation, which such servers lack.
import { type App, DefaultStackSynthesizer, Stack } from "aws-cdk-lib";
import { Names } from "./names";
import type { Options } from "./options";
import { Api } from "./rooms/api";
import { Fleet } from "./rooms/fleet";
import { Messages } from "./rooms/messages";
import { Secrets } from "./rooms/secrets";
import { Storage } from "./rooms/storage";
import { Workflow } from "./rooms/workflow";

/** The bucket that scripts/upload_assets.py puts the zips into. */
export const ASSETS = "mlops-assets";

/** The fleet as one stack. */
export function emulated(app: App, options: Options): void {
  const names = new Names(options.prefix);
  const stack = new Stack(app, options.prefix, {
    stackName: options.prefix,
    description: "The fleet on a server that plays AWS",
    synthesizer: new DefaultStackSynthesizer({ fileAssetsBucketName: ASSETS, generateBootstrapVersionRule: false }),
  });
  const { key } = new Storage(stack, "Storage", names);
  new Messages(stack, "Messages", names, options, key);
  new Secrets(stack, "Secrets", key);
  const fleet = new Fleet(stack, "Fleet", { names, options, key });
  new Workflow(stack, "Workflow", names, fleet, key);
  new Api(stack, "Api", { names, options, fleet, key });
}
