// Public list prices in US dollars, US East (N. Virginia), without free tiers and discounts, as of PRICES_OF.

/** The month in which the pages said so. */
export const PRICES_OF = "2026-03";

/** What one of a thing costs, and the page that says so. */
export const PRICES = {
  lambdaGbSecondArm: { usd: 0.0000133334, page: "https://aws.amazon.com/lambda/pricing/" },
  lambdaGbSecondX86: { usd: 0.0000166667, page: "https://aws.amazon.com/lambda/pricing/" },
  lambdaRequest: { usd: 0.2e-6, page: "https://aws.amazon.com/lambda/pricing/" },
  stateTransition: { usd: 25e-6, page: "https://aws.amazon.com/step-functions/pricing/" },
  restRequest: { usd: 3.5e-6, page: "https://aws.amazon.com/api-gateway/pricing/" },
  firewallAcl: { usd: 5, page: "https://aws.amazon.com/waf/pricing/" },
  firewallRule: { usd: 1, page: "https://aws.amazon.com/waf/pricing/" },
  firewallRequest: { usd: 0.6e-6, page: "https://aws.amazon.com/waf/pricing/" },
  storageGbMonth: { usd: 0.023, page: "https://aws.amazon.com/s3/pricing/" },
  storagePut: { usd: 5e-6, page: "https://aws.amazon.com/s3/pricing/" },
  storageGet: { usd: 0.4e-6, page: "https://aws.amazon.com/s3/pricing/" },
  trailDataEvent: { usd: 1e-6, page: "https://aws.amazon.com/cloudtrail/pricing/" },
  logGb: { usd: 0.5, page: "https://aws.amazon.com/cloudwatch/pricing/" },
  alarm: { usd: 0.1, page: "https://aws.amazon.com/cloudwatch/pricing/" },
  dashboard: { usd: 3, page: "https://aws.amazon.com/cloudwatch/pricing/" },
  trace: { usd: 5e-6, page: "https://aws.amazon.com/xray/pricing/" },
  mail: { usd: 1e-4, page: "https://aws.amazon.com/ses/pricing/" },
  publish: { usd: 0.5e-6, page: "https://aws.amazon.com/sns/pricing/" },
  key: { usd: 1, page: "https://aws.amazon.com/kms/pricing/" },
  secret: { usd: 0.4, page: "https://aws.amazon.com/secrets-manager/pricing/" },
  natHour: { usd: 0.045, page: "https://aws.amazon.com/vpc/pricing/" },
  publicAddressHour: { usd: 0.005, page: "https://aws.amazon.com/vpc/pricing/" },
  endpointHour: { usd: 0.01, page: "https://aws.amazon.com/privatelink/pricing/" },
  balancerHour: { usd: 0.0225, page: "https://aws.amazon.com/elasticloadbalancing/pricing/" },
  fargateVcpuHourX86: { usd: 0.04048, page: "https://aws.amazon.com/fargate/pricing/" },
  fargateGbHourX86: { usd: 0.004445, page: "https://aws.amazon.com/fargate/pricing/" },
} as const;

export const HOURS_PER_MONTH = 730;

/** The price of so many of a thing. */
export const usd = (thing: keyof typeof PRICES, count: number): number => PRICES[thing].usd * count;
