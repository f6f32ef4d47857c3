"""The fleet on a server that plays AWS: the synthesised template, the real zips, secrets, data, and a signed sender of events."""

import hashlib
import hmac
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "mlops"
WEBHOOK_SECRET = "It's a Secret to Everybody"
MCP_KEY = "key-of-the-whole-fleet-test"
EXAMPLES = ROOT / "target/node-tools/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
DATA = "tables-of-the-test"


def synthesise(folder, github, zips):
    """The template and its assets, for that address of GitHub's API."""
    context = {
        "emulator": "true", "zips": str(zips), "architecture": "x86_64", "githubApi": github, "mailFrom": "fleet@example.com",
        "mailTo": "team@example.com", "dataBuckets": DATA, "historyRepository": "octocat/history",
    }
    arguments = [argument for name, value in context.items() for argument in ("-c", f"{name}={value}")]
    command = ["npx", "cdk", "synth", "--quiet", *arguments, "--output", str(folder)]
    subprocess.run(command, cwd=ROOT / "cdk", check=True, stdout=subprocess.DEVNULL)


class Fleet:
    """The deployed fleet: clients of the services it uses, and what the tests do with it."""

    def __init__(self, server, folder, zips):
        self.server, self.zips = server, zips
        self.states, self.s3, self.lambdas = server.client("stepfunctions"), server.client("s3"), server.client("lambda")
        environment = server.variables()
        uploaded = subprocess.run(
            [sys.executable, ROOT / "cdk/scripts/upload_assets.py", folder, PREFIX], env={**environment, "PATH": ""},
            check=True, capture_output=True, text=True,
        )
        self.deploy(uploaded.stdout.strip())
        secrets = server.client("secretsmanager")
        for name, value in {
            "mlops/github-webhook-secret": WEBHOOK_SECRET, "mlops/github-token": "token-for-prism", "mlops/mcp-api-key": MCP_KEY,
        }.items():
            secrets.put_secret_value(SecretId=name, SecretString=value)
        mail = server.client("ses")
        for address in ("fleet@example.com", "team@example.com"):
            mail.verify_email_identity(EmailAddress=address)
        self.queue = self.subscribe()
        self.s3.create_bucket(Bucket=DATA)
        self.s3.put_object(Bucket=DATA, Key="penguins.csv", Body=(ROOT / "examples/penguins.csv").read_bytes())

    def deploy(self, template):
        stacks = self.server.client("cloudformation")
        stacks.create_stack(StackName=PREFIX, TemplateURL=template, Capabilities=["CAPABILITY_NAMED_IAM"])
        for _ in range(600):
            stack = stacks.describe_stacks(StackName=PREFIX)["Stacks"][0]
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                break
            time.sleep(0.1)
        if stack["StackStatus"] != "CREATE_COMPLETE":
            events = stacks.describe_stack_events(StackName=PREFIX)["StackEvents"]
            failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
            raise SystemExit(f"the stack is {stack['StackStatus']}: {json.dumps(failed, default=str, indent=1)}")
        apis = self.server.client("apigateway").get_rest_apis()["items"]
        self.api = f"{self.server.url}/restapis/{next(api['id'] for api in apis)}/v1/_user_request_"
        self.machines = {
            machine["name"].removeprefix(f"{PREFIX}-"): machine["stateMachineArn"]
            for machine in self.states.list_state_machines()["stateMachines"]
        }
        resources = stacks.describe_stack_resources(StackName=PREFIX)["StackResources"]
        buckets = [found["PhysicalResourceId"] for found in resources if found["ResourceType"] == "AWS::S3::Bucket"]
        self.bucket = next(bucket for bucket in buckets if bucket.startswith(f"{PREFIX}-") and "log" not in bucket)

    def subscribe(self):
        """A queue that hears every event on the topic."""
        queues, topics = self.server.client("sqs"), self.server.client("sns")
        url = queues.create_queue(QueueName="listener")["QueueUrl"]
        arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = next(found["TopicArn"] for found in topics.list_topics()["Topics"] if found["TopicArn"].endswith("-events"))
        topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return queues, url

    def heard(self):
        """The events that were published since the last look."""
        queues, url = self.queue
        found = []
        while messages := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def mails(self):
        with urllib.request.urlopen(f"{self.server.url}/_ministack/ses/messages", timeout=10) as response:
            return [mail for mails in json.load(response)["messages"].values() for mail in mails]

    def objects(self, prefix):
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [found["Key"] for found in listed.get("Contents", [])]

    def document(self, key):
        return json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def deliver(self, event, payload, delivery=None, secret=WEBHOOK_SECRET):
        """A delivery as GitHub makes it; gives the status and the answer."""
        body = json.dumps(payload).encode()
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json", "X-GitHub-Event": event, "X-Hub-Signature-256": signature,
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()), "User-Agent": "GitHub-Hookshot/044aadd",
        }
        return self.post("/github", body, headers)

    def post(self, path, body, headers):
        request = urllib.request.Request(self.api + path, data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else text.decode(errors="replace")

    def executions(self, machine="training"):
        return self.states.list_executions(stateMachineArn=self.machines[machine])["executions"]

    def ended(self, arn, seconds=120):
        """The execution when it has ended."""
        return self.wait_for(arn, lambda found: found["status"] != "RUNNING", seconds)

    def wait_for(self, arn, holds, seconds=120):
        for _ in range(seconds * 5):
            found = self.states.describe_execution(executionArn=arn)
            if holds(found):
                return found
            time.sleep(0.2)
        raise SystemExit(f"{arn} is {found['status']} after {seconds} s; it is at {self.history(arn)[-1]}")

    def history(self, arn):
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event for page in pages for event in page["events"]]


def example(event, action):
    """GitHub's own example of that event."""
    with open(EXAMPLES, encoding="utf-8") as file:
        examples = next(found["examples"] for found in json.load(file) if found["name"] == event)
    return next(found for found in examples if found.get("action") == action)


def issue(number, body, title="Train a model of penguins"):
    """The delivery of an opened issue that asks for a model."""
    payload = example("issues", "opened")
    payload["issue"].update(number=number, title=title, body=body, state="open", author_association="OWNER")
    payload["issue"]["labels"] = [{"id": 1, "name": "mlops", "color": "ededed", "default": False}]
    payload["sender"]["type"] = payload["issue"]["user"]["type"] = "User"
    payload["issue"].pop("pull_request", None)
    return payload


def comment(number, text):
    """The delivery of a comment by the repository's owner."""
    payload = example("issue_comment", "created")
    payload["issue"].update(number=number, state="open")
    payload["issue"].pop("pull_request", None)
    payload["comment"].update(body=text, author_association="OWNER")
    payload["sender"]["type"] = payload["comment"]["user"]["type"] = "User"
    return payload
