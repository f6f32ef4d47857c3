// The CDK app: `cdk deploy --all` for AWS, `cdk synth -c emulator=true` for a server that plays it.
import { App } from "aws-cdk-lib";
import { checked, deployment } from "../src/deployment";
import { emulated } from "../src/emulated";
import { optionsOf } from "../src/options";

const app = new App();
const options = optionsOf(app.node);
if (options.emulator) emulated(app, options);
else {
  deployment(app, options);
  checked(app);
}
