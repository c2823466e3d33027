"""Assertions about the deployed stack, for all choices of the operator.

Each assertion yields what is wrong. Each is also shown to find something: for every one of them
`mutants.py` breaks the template, or the code that it must agree with.
"""

import functools
import graphlib
import json
import re
import subprocess
import sys

import yaml
from openapi_schema_validator import OAS30ReadValidator

from examples import resolved
from mutants import GUIDE, MUTANTS
from stack import (
    ACCOUNT,
    CHOICES,
    INSTEAD,
    PSEUDO,
    REGION,
    STACK,
    TEMPLATE,
    TRANSFORMATION_FAILED,
    UUID,
    Stack,
    references,
    source,
)

ASSERTIONS = {}


def assertion(check):
    """Notes an assertion under its name."""
    ASSERTIONS[check.__name__] = check
    return check


def differ(what, actual, expected):
    """Says what is not as expected."""
    if actual != expected:
        yield f"{what}: {actual!r} and not {expected!r}"


# From the code.


def routes():
    """The routes of the one table: method, path, function."""
    rust = source("shared/src/routes.rs")
    paths = dict(re.findall(r'pub const (\w+): &str =\s+"([^"]+)";', rust))
    table = re.search(r"const ENDPOINTS: [^=]+= &\[\n(.*?)\n\];", rust, re.DOTALL)[1]
    rows = []
    for path, endpoints in re.findall(r"\(\s*(\w+),\s*&\[(.*?)\]", table, re.DOTALL):
        for verb, function in re.findall(r"\(Verb::(\w+), Function::(\w+)\)", endpoints):
            name = re.sub(r"(?<!^)(?=[A-Z])", "-", function).lower()
            verbs = ["GET", "HEAD"] if verb == "Get" else [verb.upper()]
            rows += [(verb, paths[path], name) for verb in verbs]
        rows.append(("ANY", paths[path], "web"))
    return rows + [("ANY", path, "web") for path in ("/", "/{proxy+}")]


# Invoked by the table's stream, without a route.
SWEEP = "sweep"
FUNCTIONS = sorted({function for _, _, function in routes()} | {SWEEP})

# CodeDeploy invokes this function before it shifts traffic to a new version of another.
HOOK = "check-deployment"
# A schedule invokes it.
REFRESH = "refresh-issuers"
ALL = sorted([*FUNCTIONS, REFRESH, HOOK])


def logical_id(function):
    """`create-link` is `CreateLink`."""
    return "".join(word.capitalize() for word in function.split("-"))


def constant(path, name):
    """A text or number constant of a Rust file."""
    rust = source(path)
    return re.search(rf'const {name}: [^=]+= (?:"|Duration::\w+\()([\w#]+)', rust)[1]


# Routes.


@assertion
def every_route_reaches_its_function_and_may_invoke_it(stack):
    body = stack.properties("Api").get("Body", {})
    permissions = [
        (p["FunctionName"], p["Action"], p["Principal"], p["SourceArn"])
        for p in (r["Properties"] for r in stack.of_type("AWS::Lambda::Permission").values())
        if p["Principal"] == "apigateway.amazonaws.com"
    ]
    deployed = {
        (path, method) for path, methods in body.get("paths", {}).items() for method in methods
    }
    expected = set()
    for verb, path, function in routes():
        alias = f"{logical_id(function)}FunctionAliaslive"
        method = "x-amazon-apigateway-any-method" if verb == "ANY" else verb.lower()
        expected.add((path, method))
        integration = body["paths"].get(path, {}).get(method, {}).get(
            "x-amazon-apigateway-integration", {}
        )
        yield from differ(f"{verb} {path}", integration.get("type"), "aws_proxy")
        uri = integration.get("uri", {}).get("Fn::Sub", "")
        if f"functions/${{{alias}}}/invocations" not in uri:
            yield f"{verb} {path} goes to {uri!r} and not to {alias}"
        resource = re.sub(r"\{[^}]+\}", "*", path)
        caller = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:${{Api}}/*"
        method = "*" if verb == "ANY" else verb
        permission = (
            {"Ref": alias},
            "lambda:InvokeFunction",
            "apigateway.amazonaws.com",
            {"Fn::Sub": f"{caller}/{method}{resource}"},
        )
        if permission not in permissions:
            yield f"{verb} {path} may not invoke {alias}"
    yield from differ("the routes", deployed, expected)
    yield from differ("the permissions", len(permissions), len(routes()))


@functools.lru_cache(maxsize=2)
def answers(contract):
    """The responses of each operation in the contract: the schemas of its JSON, by status."""
    contract = yaml.safe_load(contract)
    methods = {"get", "head", "post", "put", "delete"}
    return {
        operation["operationId"]: {
            status: response.get("content", {}).get("application/json", {}).get("schema", {})
            for status, response in resolved(operation["responses"], contract).items()
        }
        for item in contract["paths"].values()
        for operation in (item[method] for method in methods & set(item))
    }


@assertion
def the_contract_has_what_the_gateway_answers(stack):
    responses = stack.properties("Api")["Body"].get("x-amazon-apigateway-gateway-responses", {})
    for operation, declared in answers(source("infra/openapi.yaml")).items():
        for kind, response in responses.items():
            status = response.get("statusCode")
            # Paths without a route have no operation.
            if status == "404":
                continue
            if status not in declared:
                yield f"{operation} is not said to answer {status}, {kind}"
                continue
            body = json.loads(response["responseTemplates"]["application/json"])
            # The schema of HEAD is empty, and allows all.
            if not OAS30ReadValidator(declared[status]).is_valid(body):
                yield f"{operation} is not said to answer {status} with {body}"


@assertion
def the_api_is_regional_and_takes_bodies_as_they_are(stack):
    api = stack.properties("Api")
    yield from differ("endpoint", api.get("EndpointConfiguration"), {"Types": ["REGIONAL"]})
    yield from differ("binary types", api.get("BinaryMediaTypes"), ["*/*"])


@assertion
def the_gateway_speaks_as_the_functions_do(stack):
    responses = stack.properties("Api")["Body"].get("x-amazon-apigateway-gateway-responses", {})
    expected = {
        "DEFAULT_4XX": "400",
        "DEFAULT_5XX": "500",
        "INTEGRATION_FAILURE": "503",
        "INTEGRATION_TIMEOUT": "503",
        "MISSING_AUTHENTICATION_TOKEN": "404",
        "REQUEST_TOO_LARGE": "413",
        "RESOURCE_NOT_FOUND": "404",
        "THROTTLED": "429",
        "WAF_FILTERED": "403",
    }
    statuses = {kind: response.get("statusCode") for kind, response in responses.items()}
    yield from differ("statuses", statuses, expected)
    # Errors of the gateway alone.
    own = {'{"error":"Bad Request"}', '{"message":"429 Too Many Requests"}'}
    known = own | set(source(SNAPSHOT).splitlines())
    for kind, response in responses.items():
        body = response["responseTemplates"].get("application/json", "")
        if body not in known:
            yield f"{kind} answers {body}, which no function does"
        said = re.search(r"\d{3}", body)
        if said and said[0] != statuses[kind]:
            yield f"{kind} answers {statuses[kind]} with {body}"
        if "$" in json.dumps(response).replace("gatewayresponse.", ""):
            yield f"{kind} repeats something of the request"
        retry = response["responseParameters"].get("gatewayresponse.header.Retry-After")
        wanted = "'1'" if statuses[kind] in ("429", "503") else None
        yield from differ(f"{kind}'s Retry-After", retry, wanted)


SNAPSHOT = (
    "shared/src/api/snapshots/shared__api__error_response__tests__"
    "every_body_the_api_can_send_stands_in_one_snapshot.snap"
)


@assertion
def the_stage_is_throttled_traced_and_logs_no_token(stack):
    stage = stack.properties("ApiStage")
    yield from differ("stage", stage.get("StageName"), stack.parameters["StageName"])
    traced = stack.parameters["Tracing"] == "Active"
    yield from differ("tracing", stage.get("TracingEnabled"), traced)
    settings = {
        "ResourcePath": "/*",
        "HttpMethod": "*",
        "ThrottlingRateLimit": stack.parameters["ThrottlingRateLimit"],
        "ThrottlingBurstLimit": stack.parameters["ThrottlingBurstLimit"],
        "LoggingLevel": "OFF",
        "DataTraceEnabled": False,
    }
    yield from differ("methods", stage.get("MethodSettings"), [settings])
    log = stage.get("AccessLogSetting", {})
    yield from differ(
        "log", log.get("DestinationArn"), {"Fn::GetAtt": ["ApiLogGroup", "Arn"]}
    )
    fields = json.loads(log.get("Format", "{}"))
    for wanted in ("requestId", "status", "responseLatency", "resourcePath", "httpMethod"):
        yield from differ(wanted, fields.get(wanted), f"$context.{wanted}")
    harmless = re.compile(
        r"\$context\.(requestId|requestTime|httpMethod|resourcePath|status|xrayTraceId"
        r"|responseLength|responseLatency|error\.responseType"
        r"|integration\.(requestId|status|latency))"
    )
    for name, value in fields.items():
        if not harmless.fullmatch(value):
            yield f"{name} is {value}, which may hold a token"


# Functions.


@assertion
def every_function_is_built_from_its_own_package(stack):
    built = {name: r.get("Metadata") for name, r in stack.of_type("AWS::Lambda::Function").items()}
    expected = {
        f"{logical_id(function)}Function": {
            "BuildMethod": "rust-cargolambda",
            "BuildProperties": {"Binary": function},
        }
        for function in ALL
    }
    yield from differ("builds", built, expected)
    for function in ALL:
        if f"CodeUri: ../functions/{function}/\n" not in source(TEMPLATE):
            yield f"{function} is not built in its folder"


@assertion
def every_function_is_configured_as_chosen(stack):
    chosen = stack.parameters
    app = source("shared/src/config.rs")
    read = set(re.findall(r'const [A-Z_]+: &str = "((?!AWS_)[A-Z_]+)";', app))
    timeouts = {SWEEP: 300, REFRESH: 60, HOOK: 60}
    for function in ALL:
        name = logical_id(function)
        properties = stack.properties(f"{name}Function")
        variables = {
            "DIRECTORY_TABLE": {"Ref": "DirectoryTable"},
            "RELEASES_TABLE": {"Ref": "ReleasesTable"},
            "PUBLIC_URL": chosen["PublicUrl"],
        }
        if function == HOOK:
            deployed = [{"Fn::Sub": f"{f}=${{{logical_id(f)}Function}}"} for f in FUNCTIONS]
            separator, listed = properties["Environment"]["Variables"]["CHECKED_FUNCTIONS"]["Fn::Join"]
            in_order = [separator, sorted(listed, key=json.dumps)]
            yield from differ("checked", in_order, [" ", sorted(deployed, key=json.dumps)])
            variables["CHECKED_FUNCTIONS"] = {"Fn::Join": [separator, listed]}
        expected = {
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "Architectures": [chosen["Architecture"]],
            "MemorySize": chosen["MemorySize"],
            "Timeout": timeouts.get(function, chosen["Timeout"]),
            "TracingConfig": {"Mode": chosen["Tracing"]},
            "Environment": {"Variables": variables},
            "LoggingConfig": {
                "LogFormat": "JSON",
                "ApplicationLogLevel": chosen["LogLevel"],
                "SystemLogLevel": "WARN",
                "LogGroup": {"Ref": f"{name}LogGroup"},
            },
            "Role": {"Fn::GetAtt": [f"{name}Role", "Arn"]},
        }
        actual = {key: properties.get(key) for key in expected}
        yield from differ(function, actual, expected)
        known = read if function == HOOK else read - {"CHECKED_FUNCTIONS"}
        yield from differ(f"{function}'s variables", set(variables), known)


@assertion
def the_default_timeout_is_the_local_servers_and_leaves_room_for_the_database(stack):
    timeout = float(stack.parameters["Timeout"])
    wait = float(constant("shared/src/api/request.rs", "LONGEST_WAIT"))
    margin = float(constant("shared/src/api/request.rs", "MARGIN")) / 1000
    if not wait + margin < timeout <= 29:
        yield f"{timeout} s is no room for {wait} s of waiting and {margin} s of answering"
    default = stack.transformed["Parameters"]["Timeout"]["Default"]
    local = int(constant("infra/cli/src/serve/event.rs", "FUNCTION_TIMEOUT"))
    yield from differ("the default", default, local)


@assertion
def a_version_is_published_for_every_changed_value(stack):
    configuration = {"Architecture", "MemorySize", "LogLevel", "Tracing", "PublicUrl"}
    template = stack.transformed["Resources"]
    for function in FUNCTIONS:
        name = f"{logical_id(function)}Function"
        used = set(references(template[name]["Properties"])) & set(stack.parameters)
        expected = configuration if function == SWEEP else configuration | {"Timeout"}
        yield from differ(f"{function}'s parameters", used, expected)
        alias = stack.properties(f"{name}Aliaslive").get("FunctionVersion", {})
        version, _ = alias.get("Fn::GetAtt", ["", ""])
        described = set(references(template.get(version, {})["Properties"].get("Description")))
        yield from differ(f"{function}'s version", described, used)
    if source(TEMPLATE).count("AutoPublishAliasAllProperties: true") != len(FUNCTIONS):
        yield "a change of the template may not publish a version"


@assertion
def traffic_moves_as_chosen_and_back_on_an_alarm(stack):
    alarms = stack.parameters["Alarms"] == "true"
    groups = {f"{logical_id(function)}FunctionDeploymentGroup" for function in FUNCTIONS}
    yield from differ("groups", set(stack.of_type("AWS::CodeDeploy::DeploymentGroup")), groups)
    for function in FUNCTIONS:
        name = logical_id(function)
        group = stack.properties(f"{name}FunctionDeploymentGroup")
        deployment = f"CodeDeployDefault.Lambda{stack.parameters['DeploymentType']}"
        yield from differ(function, group.get("DeploymentConfigName"), deployment)
        # Both watch the new version alone: an alarm of the old one would block its fix.
        own = [{"Name": {"Ref": f"{name}{kind}"}} for kind in ("Errors", "ServerErrors")]
        expected = {"Enabled": True, "Alarms": own}
        yield from differ(
            function, group.get("AlarmConfiguration"), expected if alarms else {}
        )
        rollback = group.get("AutoRollbackConfiguration", {}).get("Events", [])
        for event in ("DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_FAILURE"):
            if event not in rollback:
                yield f"{function} is not rolled back on {event}"
        alias = stack.resources.get(f"{name}FunctionAliaslive", {})
        update = alias.get("UpdatePolicy", {}).get("CodeDeployLambdaAliasUpdate", {})
        expected = {
            "ApplicationName": {"Ref": "ServerlessDeploymentApplication"},
            "DeploymentGroupName": {"Ref": f"{name}FunctionDeploymentGroup"},
            "BeforeAllowTrafficHook": {"Ref": f"{logical_id(HOOK)}Function"},
        }
        yield from differ(function, update, expected)


@assertion
def the_hook_has_a_name_that_codedeploy_may_invoke(stack):
    # With the stack's UUID, two stacks in one account have two hooks.
    name = stack.properties(f"{logical_id(HOOK)}Function").get("FunctionName", "")
    yield from differ("name", name, f"CodeDeployHook_{UUID}")


@assertion
def the_hooks_variables_fit_into_lambda(stack):
    # 4 KB in all; names of functions have up to 64 characters, of tables 255.
    variables = stack.properties(f"{logical_id(HOOK)}Function")["Environment"]["Variables"]
    _, listed = variables["CHECKED_FUNCTIONS"]["Fn::Join"]
    names = sum(len(one["Fn::Sub"].partition("$")[0]) + 64 + 1 for one in listed)
    size = names + 2 * 255 + 200 + sum(len(variable) for variable in variables)
    if size > 4096:
        yield f"Lambda takes 4 KB of variables and not {size} bytes"


@assertion
def a_new_version_is_checked_once_its_rights_and_alarms_are_there(stack):
    needs = {name: set(references(r)) for name, r in stack.resources.items()}
    for function in FUNCTIONS:
        name = logical_id(function)
        waits_for, frontier = set(), {f"{name}FunctionAliaslive"}
        while frontier:
            waits_for |= frontier
            frontier = set().union(*(needs.get(one, set()) for one in frontier)) - waits_for
        first = {f"{logical_id(HOOK)}Function", f"{logical_id(HOOK)}Role", f"{name}Role"}
        if stack.parameters["Alarms"] == "true":
            first |= {f"{name}Errors", f"{name}ServerErrors"}
        for missing in sorted(first - waits_for):
            yield f"the traffic of {function} does not wait for {missing}"


# Roles.

# Always granted: Lambda refuses Tracing=Active to a function whose role lacks them at that moment.
TRACING = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")


def grants(stack, function):
    """The grants of a function's role: action, resource, condition."""
    role = stack.properties(f"{logical_id(function)}Role")
    for policy in role.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            actions, resources = statement["Action"], statement["Resource"]
            for action in [actions] if isinstance(actions, str) else actions:
                for resource in resources if isinstance(resources, list) else [resources]:
                    yield action, resource, statement.get("Condition")


# tests/deploy/roles.rs compares the roles with what each function does.


@assertion
def sweep_alone_reads_the_stream(stack):
    for function in FUNCTIONS:
        actions = {
            action.removeprefix("dynamodb:")
            for action, resource, _ in grants(stack, function)
            if resource == {"Fn::GetAtt": ["ReleasesTable", "StreamArn"]}
        }
        reads = {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"}
        yield from differ(function, actions, reads if function == SWEEP else set())


@assertion
def the_kinds_of_items_in_roles_are_those_of_the_code(stack):
    keys = source("shared/src/store/keys.rs").split("#[cfg(test)]")[0]
    directory = set(re.findall(r'Self::\w+ => "(\w+#)"', keys))
    releases = set(re.findall(r'format!\("(\w+#)\{', keys))
    # Users and counters are the operator's. The list of releases changes in transactions alone.
    may = {
        "DirectoryTable": (directory - {"user#", "counter#"}) | (releases - {"index#"}),
        "ReleasesTable": releases - {"index#"},
    }
    for function in FUNCTIONS:
        for action, resource, condition in grants(stack, function):
            limits = (condition or {}).get("ForAllValues:StringLike", {})
            table = resource.get("Fn::GetAtt", [""])[0] if isinstance(resource, dict) else ""
            for pattern in limits.get("dynamodb:LeadingKeys", []):
                if pattern.removesuffix("*") not in may[table]:
                    yield f"{function} may {action} {pattern} of {table}"


@assertion
def roles_are_apart_and_name_what_they_allow(stack):
    roles = [stack.properties(f"{logical_id(function)}Function").get("Role") for function in ALL]
    if len({json.dumps(role) for role in roles}) != len(ALL):
        yield "two functions share a role"
    for function in ALL:
        role = stack.properties(f"{logical_id(function)}Role")
        trusted = [
            (s["Effect"], s["Principal"], s["Action"])
            for s in role["AssumeRolePolicyDocument"]["Statement"]
        ]
        lambda_alone = [("Allow", {"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")]
        yield from differ(f"who may be {function}", trusted, lambda_alone)
        if role.get("ManagedPolicyArns"):
            yield f"{function} has policies that are not in the template"
        for action, resource, _ in grants(stack, function):
            if "*" in action:
                yield f"{function} may {action}"
            # The hook's are written out below.
            if "*" in json.dumps(resource) and action not in TRACING and function != HOOK:
                yield f"{function} may {action} {resource}"


@assertion
def a_function_writes_its_own_log_and_no_other(stack):
    for function in ALL:
        group = {"Fn::GetAtt": [f"{logical_id(function)}LogGroup", "Arn"]}
        known = ("codedeploy:", "dynamodb:", "lambda:", "xray:")
        others = [g for g in grants(stack, function) if not g[0].startswith(known)]
        expected = [
            ("logs:CreateLogStream", group, None),
            ("logs:PutLogEvents", group, None),
        ]
        if function == SWEEP:
            expected.append(("sqs:SendMessage", {"Fn::GetAtt": ["SweepFailures", "Arn"]}, None))
        yield from differ(function, others, expected)


@assertion
def every_function_may_always_trace(stack):
    for function in ALL:
        traces = [grant for grant in grants(stack, function) if grant[0].startswith("xray:")]
        # AWS knows no resource for these.
        yield from differ(function, traces, [(action, "*", None) for action in TRACING])


@assertion
def every_function_waits_for_all_its_rights(stack):
    # Lambda asks for some rights when it makes or changes a function. A policy that attaches
    # rights to a role from outside has to come before the function.
    needs = {name: set(references(r)) for name, r in stack.resources.items()}
    attached = {
        name: r for name, r in stack.resources.items() if r["Type"].endswith("Policy") and "::IAM::" in r["Type"]
    }
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        roles = set(references(function["Properties"]["Role"]))
        waits_for, frontier = set(), {name}
        while frontier:
            waits_for |= frontier
            frontier = set().union(*(needs.get(one, set()) for one in frontier)) - waits_for
        for policy, resource in attached.items():
            if roles & set(references(resource)) and policy not in waits_for:
                yield f"{name} does not wait for {policy}"


@assertion
def the_hook_may_ask_report_and_invoke_and_no_more(stack):
    group = f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deploymentgroup:${{ServerlessDeploymentApplication}}/*"
    application = f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:application:${{ServerlessDeploymentApplication}}"
    expected = [
        ("codedeploy:GetApplicationRevision", {"Fn::Sub": application}, None),
        ("codedeploy:GetDeployment", {"Fn::Sub": group}, None),
        ("codedeploy:PutLifecycleEventHookExecutionStatus", {"Fn::Sub": group}, None),
    ]
    for function in FUNCTIONS:
        # Any version, or each deployment would wait for IAM; not $LATEST.
        versions = {"Fn::Sub": f"${{{logical_id(function)}Function.Arn}}:*"}
        expected.append(("lambda:InvokeFunction", versions, None))
    allowed = [g for g in grants(stack, HOOK) if not g[0].startswith(("logs:", "xray:"))]
    yield from differ("rights", sorted(allowed, key=json.dumps), sorted(expected, key=json.dumps))


# Tables.


@assertion
def the_tables_are_kept_and_keyed_as_the_code_has_it(stack):
    pk, sk = (constant("shared/src/store/keys.rs", name) for name in ("PK", "SK"))
    ttl = constant("shared/src/store/items.rs", "TTL")
    schema = [(pk, "HASH"), (sk, "RANGE")]
    names = ("DirectoryTable", "ReleasesTable")
    yield from differ("tables", set(stack.of_type("AWS::DynamoDB::Table")), set(names))
    for name in names:
        table = stack.resources.get(name, {})
        expected = {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": k, "AttributeType": "S"} for k, _ in schema],
            "KeySchema": [{"AttributeName": k, "KeyType": kind} for k, kind in schema],
            "SSESpecification": {"SSEEnabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "DeletionProtectionEnabled": True,
        }
        if name == "DirectoryTable":
            expected["TimeToLiveSpecification"] = {"AttributeName": ttl, "Enabled": True}
        else:
            expected["StreamSpecification"] = {"StreamViewType": "OLD_IMAGE"}
        yield from differ(name, stack.properties(name), expected)
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            yield from differ(f"{name}'s {policy}", table.get(policy), "Retain")


@assertion
def existing_tables_are_imported_as_the_guide_says(stack):
    guide = source(GUIDE)
    (cut,) = re.findall(r"sed -n '([^']+)' infra/template.yaml", guide)
    done = subprocess.run(
        ["sed", "-n", cut], input=source(TEMPLATE), capture_output=True, check=True, text=True
    )
    tables = stack.of_type("AWS::DynamoDB::Table")
    try:
        alone = yaml.safe_load(f"Resources:\n{done.stdout}")["Resources"]
    except yaml.YAMLError as error:
        # References to the rest of the template would break.
        yield f"the tables do not stand alone: {error}"
    else:
        yield from differ("alone", alone, tables)
    (named,) = re.findall(r"--resources-to-import '(\[.*?\])'", guide, re.DOTALL)
    imported = {r["LogicalResourceId"]: r["ResourceType"] for r in json.loads(named)}
    yield from differ("imported", imported, {name: r["Type"] for name, r in tables.items()})


@assertion
def names_are_cloudformations_or_begin_with_the_stacks(stack):
    # Two installations in one account must not meet.
    for name, resource in stack.resources.items():
        kind = resource["Type"].split("::")[-1]
        names = {"TableName", "FunctionName", "RoleName", "AlarmName", "LogGroupName", "BucketName"}
        names.add("QueueName")
        for key in names & set(resource.get("Properties", {})):
            value = resource["Properties"][key]
            others = ("Alias", "Version", "Permission", "EventSourceMapping", "MetricFilter")
            own = isinstance(value, dict) and kind in others
            if not own and STACK not in json.dumps(value) and UUID not in json.dumps(value):
                yield f"{name} is called {value}"


# The stream.


@assertion
def sweep_is_told_of_deleted_releases_and_loses_none_unnoticed(stack):
    key, release = (constant("shared/src/store/keys.rs", name) for name in ("SK", "RELEASE_SK"))
    mappings = stack.of_type("AWS::Lambda::EventSourceMapping")
    yield from differ("mappings", set(mappings), {"SweepFunctionDeleted"})
    mapping = dict(stack.properties("SweepFunctionDeleted"))
    filters = mapping.pop("FilterCriteria", {}).get("Filters", [])
    handed_over = {"eventName": ["REMOVE"], "dynamodb": {"Keys": {key: {"S": [release]}}}}
    yield from differ("handed over", [json.loads(f["Pattern"]) for f in filters], [handed_over])
    retries, age = mapping.pop("MaximumRetryAttempts", -1), mapping.pop("MaximumRecordAgeInSeconds", -1)
    # The stream keeps a record for a day.
    if not (0 < retries <= 100 and 3600 < age < 86400):
        yield f"{retries} more tries for {age} s"
    expected = {
        "EventSourceArn": {"Fn::GetAtt": ["ReleasesTable", "StreamArn"]},
        "FunctionName": {"Ref": "SweepFunctionAliaslive"},
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 60,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "DestinationConfig": {
            "OnFailure": {"Destination": {"Fn::GetAtt": ["SweepFailures", "Arn"]}}
        },
    }
    yield from differ("mapping", mapping, expected)
    queues = {name: r.get("Properties") for name, r in stack.of_type("AWS::SQS::Queue").items()}
    queue = {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": 14 * 86400}
    yield from differ("queues", queues, {"SweepFailures": queue})


# The schedule.


@assertion
def a_schedule_refreshes_the_keys_of_issuers(stack):
    rules = {name: r.get("Properties") for name, r in stack.of_type("AWS::Events::Rule").items()}
    name = "RefreshIssuersFunctionSchedule"
    yield from differ("rules", set(rules), {name})
    rule = rules.get(name, {})
    yield from differ("how often", rule.get("ScheduleExpression"), "rate(15 minutes)")
    targets = [target["Arn"] for target in rule.get("Targets", [])]
    yield from differ("targets", targets, [{"Ref": "RefreshIssuersFunctionAliaslive"}])
    permitted = [
        (p["FunctionName"], p["SourceArn"])
        for p in (r["Properties"] for r in stack.of_type("AWS::Lambda::Permission").values())
        if p["Principal"] == "events.amazonaws.com"
    ]
    yield from differ("permissions", permitted, [(targets[0], {"Fn::GetAtt": [name, "Arn"]})])


# Logs and alarms.


@assertion
def every_log_is_kept_as_long_as_chosen(stack):
    groups = stack.of_type("AWS::Logs::LogGroup")
    expected = {f"{logical_id(function)}LogGroup" for function in ALL} | {"ApiLogGroup"}
    yield from differ("groups", set(groups), expected)
    for name, group in groups.items():
        days = group["Properties"].get("RetentionInDays")
        yield from differ(name, days, stack.parameters["LogRetentionDays"])


@assertion
def the_api_can_log_before_it_has_a_stage(stack):
    graph = {name: set(references(r)) for name, r in stack.resources.items()}
    reached, frontier = set(), {"ApiStage"}
    while frontier:
        reached |= frontier
        frontier = set().union(*(graph.get(name, set()) for name in frontier)) - reached
    created = stack.parameters["ApiLogRole"] == "create"
    yield from differ("the account", "ApiLogAccount" in stack.resources, created)
    yield from differ("the stage waits for it", "ApiLogAccount" in reached, created)
    for name in {"ApiLogAccount", "ApiLogWriterRole"} & set(stack.resources):
        yield from differ(name, stack.resources[name].get("DeletionPolicy"), "Retain")


def new_version(stack, function):
    """The number of the version that the alias gets."""
    return stack.properties(f"{logical_id(function)}FunctionAliaslive").get("FunctionVersion")


@assertion
def the_alarms_of_a_deployment_are_new_with_each_version(stack):
    # An alarm whose dimensions change stays in ALARM for a minute or more, and blocks the fix.
    if stack.parameters["Alarms"] != "true":
        return
    for function in FUNCTIONS:
        version, _ = new_version(stack, function)["Fn::GetAtt"]
        for kind, text in (("Errors", "errors"), ("ServerErrors", "server-errors")):
            name = stack.properties(f"{logical_id(function)}{kind}").get("AlarmName")
            expected = {"Fn::Sub": f"{STACK}-{function}-{text}-version-${{{version}.Version}}"}
            yield from differ(f"{function}'s {kind}", name, expected)


@assertion
def errors_of_a_functions_own_are_counted_by_version(stack):
    filters = stack.of_type("AWS::Logs::MetricFilter")
    alarms = stack.parameters["Alarms"] == "true"
    names = {f"{logical_id(function)}ServerErrorFilter" for function in FUNCTIONS}
    yield from differ("filters", set(filters), names if alarms else set())
    for function in FUNCTIONS if alarms else []:
        name = logical_id(function)
        counted = {
            "MetricNamespace": STACK,
            "MetricName": f"{function}-server-errors",
            "MetricValue": "1",
            "Dimensions": [{"Key": "version", "Value": "$.version"}],
        }
        expected = {
            "LogGroupName": {"Ref": f"{name}LogGroup"},
            "FilterPattern": '{ ($.level = "ERROR") && ($.transient IS FALSE) && ($.version = "*") }',
            "MetricTransformations": [counted],
        }
        yield from differ(function, stack.properties(f"{name}ServerErrorFilter"), expected)
    # The fields of the line.
    for path in ("shared/src/api/respond.rs", "functions/sweep/src/lib.rs"):
        if not re.search(r"error!\((?:request_id, )?version, transient, cause", source(path)):
            yield f"{path} does not log what the filters count"


@assertion
def alarms_watch_every_function_and_the_api(stack):
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    if stack.parameters["Alarms"] != "true":
        yield from differ("alarms", set(alarms), set())
        return
    api = [
        {"Name": "ApiName", "Value": stack.properties("Api").get("Name")},
        {"Name": "Stage", "Value": stack.parameters["StageName"]},
    ]
    sweep = [{"Name": "FunctionName", "Value": {"Ref": "SweepFunction"}}]
    refresh = [{"Name": "FunctionName", "Value": {"Ref": "RefreshIssuersFunction"}}]
    queue = [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["SweepFailures", "QueueName"]}}]
    slow = stack.parameters["SlowMilliseconds"]
    expected = {
        "ApiServerErrors": ("AWS/ApiGateway", "5XXError", "Sum", api, 5),
        "ApiSlow": ("AWS/ApiGateway", "Latency", "p99", api, slow),
        # For the whole AWS account.
        "Throttles": ("AWS/Lambda", "Throttles", "Sum", None, 1),
        "SweepBehind": ("AWS/Lambda", "IteratorAge", "Maximum", sweep, 3600 * 1000),
        "SweepGaveUp": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", queue, 1),
        # Also while no deployment is under way: the API's alarms do not see it.
        "SweepCrashes": ("AWS/Lambda", "Errors", "Sum", sweep, 1),
        "IssuerKeysOld": ("AWS/Lambda", "Errors", "Sum", refresh, 1),
    }
    for function in FUNCTIONS:
        name = logical_id(function)
        version = new_version(stack, function)
        dimensions = [
            {"Name": "FunctionName", "Value": {"Ref": f"{name}Function"}},
            {"Name": "Resource", "Value": {"Fn::Sub": f"${{{name}Function}}:live"}},
            {"Name": "ExecutedVersion", "Value": version},
        ]
        expected[f"{name}Errors"] = ("AWS/Lambda", "Errors", "Sum", dimensions, 1)
        logged = (STACK, f"{function}-server-errors", "Sum", [{"Name": "version", "Value": version}], 1)
        expected[f"{name}ServerErrors"] = logged
    watched = {
        name: (
            alarm["Namespace"],
            alarm["MetricName"],
            alarm.get("Statistic") or alarm.get("ExtendedStatistic"),
            alarm.get("Dimensions"),
            alarm["Threshold"],
        )
        for name, alarm in ((name, r["Properties"]) for name, r in alarms.items())
    }
    yield from differ("alarms", watched, expected)
    cost = f"{len(expected)}, for at most {len(expected) * 0.1:.2f} USD a month"
    if cost not in stack.transformed["Parameters"]["Alarms"]["Description"]:
        yield f"the parameter does not say that there are {cost}"
    given_up = json.dumps(alarms["SweepGaveUp"]["Properties"]["AlarmDescription"])
    if "aws sqs purge-queue" not in given_up or "${SweepFailures}" not in given_up:
        yield f"SweepGaveUp does not say how it ends: {given_up}"
    topic = stack.parameters["AlarmTopicArn"]
    for name, alarm in alarms.items():
        actions = alarm["Properties"].get("AlarmActions", [])
        yield from differ(f"{name}'s topic", actions, [topic] if topic else [])
        yield from differ(name, alarm["Properties"].get("TreatMissingData"), "notBreaching")


# The whole.


@assertion
def a_domain_is_made_where_one_is_named(stack):
    domain, zone = stack.parameters["DomainName"], stack.parameters["HostedZoneId"]
    made = {"CustomDomain", "CustomDomainMapping", "CustomDomainRecord"} & set(stack.resources)
    expected = {"CustomDomain", "CustomDomainMapping"} if domain else set()
    yield from differ("domain", made, expected | ({"CustomDomainRecord"} if zone else set()))
    if domain:
        properties = stack.properties("CustomDomain")
        yield from differ("name", properties.get("DomainName"), domain)
        certificate = stack.parameters["CertificateArn"]
        yield from differ("certificate", properties.get("RegionalCertificateArn"), certificate)
        yield from differ("TLS", properties.get("SecurityPolicy"), "TLS_1_2")
        mapping = {"DomainName": {"Ref": "CustomDomain"}, "RestApiId": {"Ref": "Api"}}
        mapping["Stage"] = {"Ref": "ApiStage"}
        yield from differ("mapping", stack.properties("CustomDomainMapping"), mapping)
    if zone:
        record = stack.properties("CustomDomainRecord")
        yield from differ("record", (record.get("Name"), record.get("Type")), (domain, "A"))


@assertion
def the_outputs_say_where_it_is_and_what_to_do_next(stack):
    chosen = stack.parameters
    gateway = f"https://${{Api}}.execute-api.{REGION}.amazonaws.com/{chosen['StageName']}"
    known = chosen["PublicUrl"] or (f"https://{chosen['DomainName']}" if chosen["DomainName"] else "")

    def text(path=""):
        return f"{known}{path}" if known else {"Fn::Sub": f"{gateway}{path}"}

    command = (
        f"AWS_REGION={REGION} DIRECTORY_TABLE=${{DirectoryTable}} RELEASES_TABLE=${{ReleasesTable}}"
        " cargo run -- project create mygroup/app"
    )
    expected = {
        "Url": text(),
        "ApiUrl": text("/api/v4"),
        "DirectoryTableName": {"Ref": "DirectoryTable"},
        "ReleasesTableName": {"Ref": "ReleasesTable"},
        "SweepFailuresUrl": {"Ref": "SweepFailures"},
        "NextCommand": {"Fn::Sub": command},
    }
    if chosen["DomainName"] and not chosen["HostedZoneId"]:
        expected["DomainTarget"] = {"Fn::GetAtt": ["CustomDomain", "RegionalDomainName"]}
    actual = {name: output["Value"] for name, output in stack.outputs.items()}
    yield from differ("outputs", actual, expected)


@assertion
def everything_that_is_named_is_there(stack):
    known = set(stack.resources) | set(PSEUDO) | {"AWS::NoValue"}
    for section in (stack.resources, stack.outputs):
        for name, value in section.items():
            for missing in set(references(value)) - known:
                yield f"{name} needs {missing}"


@assertion
def nothing_needs_itself(stack):
    graph = {name: set(references(r)) & set(stack.resources) for name, r in stack.resources.items()}
    try:
        list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        yield " needs ".join(reversed(error.args[1]))


@assertion
def nothing_is_larger_than_it_may_be(stack):
    resources = stack.transformed["Resources"]
    if not len(resources) <= 500:
        yield f"CloudFormation takes 500 resources and not {len(resources)}"
    size = len(json.dumps(stack.transformed))
    if not size < 1_000_000:
        yield f"CloudFormation takes a megabyte and not {size} bytes"
    # The policy of a function's alias grows by a statement with each route.
    policies = {}
    for permission in stack.of_type("AWS::Lambda::Permission").values():
        allowed = permission["Properties"]
        if allowed["Principal"] != "apigateway.amazonaws.com":
            continue
        _, _, path = allowed["SourceArn"]["Fn::Sub"].partition("${Api}")
        partition, region = "aws-us-gov", "us-gov-east-1"
        statement = {
            "Sid": "x" * 100,
            "Effect": "Allow",
            "Principal": {"Service": allowed["Principal"]},
            "Action": allowed["Action"],
            "Resource": f"arn:{partition}:lambda:{region}:{ACCOUNT}:function:{'x' * 64}:live",
            "Condition": {
                "ArnLike": {
                    "AWS:SourceArn": f"arn:{partition}:execute-api:{region}:{ACCOUNT}:abcdefghij{path}"
                }
            },
        }
        policies.setdefault(allowed["FunctionName"]["Ref"], []).append(statement)
    for alias, statements in policies.items():
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
        if not (size := len(json.dumps(policy))) < 20 * 1024:
            yield f"Lambda takes 20 KB and not the {size} bytes of {alias}'s policy"


@assertion
def the_least_choice_costs_nothing_at_rest(stack):
    # These cost nothing without requests. Tables and logs are billed by their contents.
    free = {
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::CodeDeploy::Application",
        "AWS::CodeDeploy::DeploymentGroup",
        "AWS::DynamoDB::Table",
        # An invocation every 15 minutes costs less than a cent a month.
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::Logs::LogGroup",
        "AWS::SQS::Queue",
    }
    if stack.parameters["Alarms"] == "false":
        billed = {r["Type"] for r in stack.resources.values()} - free
        yield from differ("billed", billed, set())
    if "CacheClusterEnabled" in stack.properties("ApiStage"):
        yield "a cache is billed by the hour"
    for name, alias in stack.of_type("AWS::Lambda::Alias").items():
        if "ProvisionedConcurrencyConfig" in alias["Properties"]:
            yield f"{name} is billed by the hour"


@assertion
def every_parameter_is_explained_bounded_and_grouped(stack):
    parameters = stack.transformed["Parameters"]
    interface = stack.transformed["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    yield from differ("grouped", sorted(grouped), sorted(parameters))
    for name, parameter in parameters.items():
        if not parameter.get("Description"):
            yield f"{name} is not explained"
        if not {"AllowedValues", "AllowedPattern", "MinValue"} & set(parameter):
            yield f"{name} takes anything"
        pattern, default = parameter.get("AllowedPattern"), parameter.get("Default")
        chosen = str(stack.parameters[name])
        if pattern and not (re.fullmatch(pattern, default) and re.fullmatch(pattern, chosen)):
            yield f"{name} refuses {default!r} or {chosen!r}"


@assertion
def a_public_url_is_taken_as_the_functions_write_it(stack):
    pattern = stack.transformed["Parameters"]["PublicUrl"]["AllowedPattern"]
    for url in ("", "https://a.example", "http://a.example:8080/b/c"):
        if not re.fullmatch(pattern, url):
            yield f"{url!r} is refused"
    slashes = ("https://a.example/", "https://a.example/b/", "https://a.example//b", "https:///a")
    for url in (*slashes, "https://a.example?b", "https://a.example/b#c", "ftp://a.example", "a b"):
        if re.fullmatch(pattern, url):
            yield f"{url!r} is taken"


@assertion
def the_guide_asks_for_the_tested_sam_cli(_stack):
    pinned = re.search(r"aws-sam-cli==(\d+\.\d+)", source("tests/infra/requirements.txt"))[1]
    if f"({pinned} or newer)" not in source(GUIDE):
        yield f"{GUIDE} does not ask for {pinned}"


def problems(names=ASSERTIONS):
    """The problems: assertion, choice, problem."""
    for choice, parameters in CHOICES.items():
        stack = Stack(parameters)
        for name in names:
            for problem in ASSERTIONS[name](stack):
                yield name, choice, problem


def unnoticed():
    """Says which mutants no one notices, and which assertions have none."""
    for name, path, old, new in MUTANTS:
        text = source(path)
        if old not in text:
            yield f"{name}: {path} has no {old!r} to break"
            continue
        INSTEAD[path] = text.replace(old, new)
        try:
            if not any(problems([name])):
                yield f"{name} does not notice {new!r} for {old!r}"
        except TRANSFORMATION_FAILED as error:
            yield f"{name}: {new!r} for {old!r} breaks more than it should: {error}"
        finally:
            del INSTEAD[path]
    for name in ASSERTIONS.keys() - {name for name, *_ in MUTANTS}:
        yield f"{name} has nothing to notice"


def main():
    """Runs every assertion for every choice, and then on what is broken."""
    found = list(problems())
    for name, choice, problem in found:
        print(f"FAILED {name} ({choice}): {problem}")
    silent = [] if found else list(unnoticed())
    for problem in silent:
        print(f"FAILED {problem}")
    failed = len({(name, choice) for name, choice, _ in found}) + len(silent)
    tried = len(ASSERTIONS) * len(CHOICES) + (0 if found else len(MUTANTS))
    print(f"infra: {tried - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
