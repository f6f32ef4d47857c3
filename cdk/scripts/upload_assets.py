"""Uploads the files that a synthesised stack names into their buckets, as `cdk deploy` would, at any S3 endpoint.

usage: upload_assets.py FOLDER STACK          (AWS_ENDPOINT_URL and credentials in the environment)

FOLDER is the output of `cdk synth`. The buckets are created when they are not there. Folders are zipped; nothing is rewritten.
Prints the URL of the stack's template, which CloudFormation takes as TemplateURL.
"""

import io
import json
import sys
import zipfile
from pathlib import Path

import botocore.session


def content(folder, source):
    """The bytes of an asset: a file as it is, a folder as a zip."""
    path = folder / source["path"]
    if source["packaging"] == "file":
        return path.read_bytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in sorted(path.rglob("*")):
            if file.is_file():
                zipped.write(file, file.relative_to(path))
    return archive.getvalue()


def main(folder, stack):
    objects = botocore.session.get_session().create_client("s3", region_name="us-east-1")
    assets = json.loads((folder / f"{stack}.assets.json").read_text())
    made = set()
    for asset in assets["files"].values():
        for destination in asset["destinations"].values():
            bucket, key = destination["bucketName"], destination["objectKey"]
            if bucket not in made:
                try:
                    objects.create_bucket(Bucket=bucket)
                except (objects.exceptions.BucketAlreadyOwnedByYou, objects.exceptions.BucketAlreadyExists):
                    pass
                made.add(bucket)
            objects.put_object(Bucket=bucket, Key=key, Body=content(folder, asset["source"]))
            if asset["source"]["path"] == f"{stack}.template.json":
                print(f"{objects.meta.endpoint_url}/{bucket}/{key}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2])
