"""Faults that the assertions of `transformed.py` must notice.

A mutant is an assertion, a file, a text in it, and what stands there instead, wherever it stands.
"""

TEMPLATE = "infra/template.yaml"
CONTRACT = "infra/openapi.yaml"
GUIDE = "docs/aws.md"
ROUTES = "shared/src/routes.rs"
CONFIG = "shared/src/config.rs"

SWEPT = "sweep_is_told_of_deleted_releases_and_loses_none_unnoticed"

MUTANTS = [
    # Routes.
    (
        "every_route_reaches_its_function_and_may_invoke_it",
        TEMPLATE,
        "            Method: HEAD\n",
        "            Method: PATCH\n",
    ),
    (
        "every_route_reaches_its_function_and_may_invoke_it",
        ROUTES,
        "(Verb::Put, Function::UpdateLink)",
        "(Verb::Put, Function::Web)",
    ),
    (
        "the_contract_has_what_the_gateway_answers",
        CONTRACT,
        '        "403": {$ref: "#/components/responses/Filtered"}\n',
        "",
    ),
    (
        "the_contract_has_what_the_gateway_answers",
        CONTRACT,
        '              - $ref: "#/components/schemas/UnreadableError"\n',
        "",
    ),
    (
        "the_api_is_regional_and_takes_bodies_as_they_are",
        TEMPLATE,
        "EndpointConfiguration: {Type: REGIONAL}",
        "EndpointConfiguration: {Type: EDGE}",
    ),
    (
        "the_api_is_regional_and_takes_bodies_as_they_are",
        TEMPLATE,
        'BinaryMediaTypes: ["*/*"]',
        'BinaryMediaTypes: ["image/*"]',
    ),
    ("the_gateway_speaks_as_the_functions_do", TEMPLATE, '{"error":"404 Not Found"}', "{}"),
    (
        "the_gateway_speaks_as_the_functions_do",
        TEMPLATE,
        '{"error":"Bad Request"}',
        '{"error":$context.error.messageString}',
    ),
    ("the_gateway_speaks_as_the_functions_do", TEMPLATE, "StatusCode: 503", "StatusCode: 504"),
    ("the_gateway_speaks_as_the_functions_do", TEMPLATE, "          StatusCode: 500\n", ""),
    ("the_gateway_speaks_as_the_functions_do", TEMPLATE, ", Retry-After: \"'1'\"", ""),
    (
        "the_stage_is_throttled_traced_and_logs_no_token",
        TEMPLATE,
        '"resourcePath":"$context.resourcePath"',
        '"resourcePath":"$context.path"',
    ),
    (
        "the_stage_is_throttled_traced_and_logs_no_token",
        TEMPLATE,
        '"responseType":"$context.error.responseType"',
        '"message":"$context.error.message"',
    ),
    (
        "the_stage_is_throttled_traced_and_logs_no_token",
        TEMPLATE,
        "DataTraceEnabled: false",
        "DataTraceEnabled: true",
    ),
    (
        "the_stage_is_throttled_traced_and_logs_no_token",
        TEMPLATE,
        "          ThrottlingBurstLimit: !Ref ThrottlingBurstLimit\n",
        "",
    ),
    (
        "the_stage_is_throttled_traced_and_logs_no_token",
        TEMPLATE,
        "TracingEnabled: !If [HasTracing, true, false]",
        "TracingEnabled: true",
    ),
    # Functions.
    (
        "every_function_is_built_from_its_own_package",
        TEMPLATE,
        "CodeUri: ../functions/web/",
        "CodeUri: ../",
    ),
    (
        "every_function_is_built_from_its_own_package",
        TEMPLATE,
        "{Binary: web}",
        "{Binary: get-link}",
    ),
    ("every_function_is_configured_as_chosen", TEMPLATE, "Tracing: !Ref Tracing", "Tracing: Active"),
    (
        "every_function_is_configured_as_chosen",
        TEMPLATE,
        "SystemLogLevel: WARN",
        "SystemLogLevel: INFO",
    ),
    ("every_function_is_configured_as_chosen", TEMPLATE, "LogFormat: JSON", "LogFormat: Text"),
    (
        "every_function_is_configured_as_chosen",
        TEMPLATE,
        "        PUBLIC_URL: !Ref PublicUrl\n",
        "        PUBLIC_URL: !Sub https://${Api}.example.com\n",
    ),
    ("every_function_is_configured_as_chosen", CONFIG, '"RELEASES_TABLE"', '"LINKS_TABLE"'),
    ("every_function_is_configured_as_chosen", TEMPLATE, "      Timeout: 300\n", ""),
    (
        "the_default_timeout_is_the_local_servers_and_leaves_room_for_the_database",
        TEMPLATE,
        "Default: 10\n",
        "Default: 5\n",
    ),
    (
        "the_default_timeout_is_the_local_servers_and_leaves_room_for_the_database",
        "shared/src/api/request.rs",
        "LONGEST_WAIT: Duration = Duration::from_secs(5)",
        "LONGEST_WAIT: Duration = Duration::from_secs(30)",
    ),
    ("a_version_is_published_for_every_changed_value", TEMPLATE, "${MemorySize} MB ", ""),
    ("a_version_is_published_for_every_changed_value", TEMPLATE, "${Tracing} ", ""),
    (
        "a_version_is_published_for_every_changed_value",
        TEMPLATE,
        "      AutoPublishAliasAllProperties: true\n",
        "",
    ),
    (
        "traffic_moves_as_chosen_and_back_on_an_alarm",
        TEMPLATE,
        "      Type: !Ref DeploymentType",
        "      Type: AllAtOnce",
    ),
    (
        "traffic_moves_as_chosen_and_back_on_an_alarm",
        TEMPLATE,
        "[!Ref WebErrors, !Ref WebServerErrors]",
        "[!Ref WebErrors, !Ref WebServerErrors, !Ref ApiServerErrors]",
    ),
    (
        "traffic_moves_as_chosen_and_back_on_an_alarm",
        TEMPLATE,
        "[!Ref SweepErrors, !Ref SweepServerErrors]",
        "[!Ref SweepErrors]",
    ),
    (
        "traffic_moves_as_chosen_and_back_on_an_alarm",
        TEMPLATE,
        "      Hooks: {PreTraffic: !Ref CheckDeploymentFunction}\n",
        "",
    ),
    (
        "traffic_moves_as_chosen_and_back_on_an_alarm",
        TEMPLATE,
        "{PreTraffic: !Ref CheckDeploymentFunction}",
        "{PostTraffic: !Ref CheckDeploymentFunction}",
    ),
    (
        "a_new_version_is_checked_once_its_rights_and_alarms_are_there",
        TEMPLATE,
        "{PreTraffic: !Ref CheckDeploymentFunction}",
        "{PreTraffic: CodeDeployHook_check}",
    ),
    (
        "the_hook_has_a_name_that_codedeploy_may_invoke",
        TEMPLATE,
        "CodeDeployHook_${Uuid}",
        "check-deployment-${Uuid}",
    ),
    (
        "the_hook_has_a_name_that_codedeploy_may_invoke",
        TEMPLATE,
        "!Select [2,",
        "!Select [1,",
    ),
    (
        "the_hooks_variables_fit_into_lambda",
        TEMPLATE,
        '              - !Sub "web=${WebFunction}"\n',
        f'              - !Sub "{"w" * 2048}=${{WebFunction}}"\n',
    ),
    (
        "the_hook_may_ask_report_and_invoke_and_no_more",
        TEMPLATE,
        "                  - !Sub \"${WebFunction.Arn}:*\"\n",
        "",
    ),
    (
        "the_hook_may_ask_report_and_invoke_and_no_more",
        TEMPLATE,
        "                Action: lambda:InvokeFunction\n",
        "                Action: [lambda:InvokeFunction, lambda:UpdateFunctionCode]\n",
    ),
    (
        "the_hook_may_ask_report_and_invoke_and_no_more",
        TEMPLATE,
        "deploymentgroup:${ServerlessDeploymentApplication}/*",
        "deploymentgroup:*",
    ),
    (
        "every_function_is_configured_as_chosen",
        TEMPLATE,
        '              - !Sub "web=${WebFunction}"\n',
        "",
    ),
    (
        "every_function_is_configured_as_chosen",
        TEMPLATE,
        '              - !Sub "web=${WebFunction}"\n',
        '              - !Sub "web=${GetLinkFunction}"\n',
    ),
    (
        "a_schedule_refreshes_the_keys_of_issuers",
        TEMPLATE,
        "Schedule: rate(15 minutes)",
        "Schedule: rate(15 hours)",
    ),
    # Roles.
    (
        "sweep_alone_reads_the_stream",
        TEMPLATE,
        "                  - dynamodb:ListStreams\n",
        "",
    ),
    (
        "the_kinds_of_items_in_roles_are_those_of_the_code",
        TEMPLATE,
        "ForAllValues:StringEquals: {dynamodb:LeadingKeys: [counter#link]}",
        "ForAllValues:StringLike: {dynamodb:LeadingKeys: [counter#*]}",
    ),
    (
        "the_kinds_of_items_in_roles_are_those_of_the_code",
        TEMPLATE,
        'dynamodb:LeadingKeys: ["release#*", "claim#*", "path#*"]',
        'dynamodb:LeadingKeys: ["release#*", "claim#*", "path#*", "index#*"]',
    ),
    (
        "the_kinds_of_items_in_roles_are_those_of_the_code",
        TEMPLATE,
        '["token#*", "issuer#*"]',
        '["token#*", "user#*"]',
    ),
    (
        "the_kinds_of_items_in_roles_are_those_of_the_code",
        "shared/src/store/keys.rs",
        'Self::Token => "token#"',
        'Self::Token => "secret#"',
    ),
    (
        "the_kinds_of_items_in_roles_are_those_of_the_code",
        "shared/src/store/keys.rs",
        'format!("claim#{',
        'format!("taken#{',
    ),
    (
        "roles_are_apart_and_name_what_they_allow",
        TEMPLATE,
        "Role: !GetAtt WebRole.Arn",
        "Role: !GetAtt GetLinkRole.Arn",
    ),
    (
        "roles_are_apart_and_name_what_they_allow",
        TEMPLATE,
        "Action: dynamodb:Query",
        "Action: dynamodb:*",
    ),
    (
        "roles_are_apart_and_name_what_they_allow",
        TEMPLATE,
        "Resource: !GetAtt WebLogGroup.Arn",
        'Resource: "*"',
    ),
    (
        "roles_are_apart_and_name_what_they_allow",
        TEMPLATE,
        "Resource: !GetAtt WebLogGroup.Arn",
        "Resource: !Sub arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*",
    ),
    (
        "roles_are_apart_and_name_what_they_allow",
        TEMPLATE,
        "      Policies:\n        - PolicyName: web\n",
        "      ManagedPolicyArns: [arn:aws:iam::aws:policy/ReadOnlyAccess]\n"
        "      Policies:\n        - PolicyName: web\n",
    ),
    (
        "roles_are_apart_and_name_what_they_allow",
        TEMPLATE,
        "Principal: {Service: lambda.amazonaws.com}",
        'Principal: {AWS: "*"}',
    ),
    (
        "a_function_writes_its_own_log_and_no_other",
        TEMPLATE,
        "Resource: !GetAtt WebLogGroup.Arn",
        "Resource: !GetAtt ApiLogGroup.Arn",
    ),
    (
        "a_function_writes_its_own_log_and_no_other",
        TEMPLATE,
        "Action: [logs:CreateLogStream, logs:PutLogEvents]",
        "Action: [logs:CreateLogStream, logs:PutLogEvents, logs:DeleteLogGroup]",
    ),
    (
        "every_function_may_always_trace",
        TEMPLATE,
        "Action: [xray:PutTraceSegments, xray:PutTelemetryRecords]",
        "Action: xray:*",
    ),
    (
        "every_function_may_always_trace",
        TEMPLATE,
        "                Resource: !GetAtt WebLogGroup.Arn\n"
        "              - Effect: Allow\n"
        "                Action: [xray:PutTraceSegments, xray:PutTelemetryRecords]\n"
        "                Resource: \"*\"\n",
        "                Resource: !GetAtt WebLogGroup.Arn\n",
    ),
    (
        "every_function_waits_for_all_its_rights",
        TEMPLATE,
        "  # Logs.\n",
        "  TracingPolicy:\n"
        "    Type: AWS::IAM::Policy\n"
        "    Condition: HasTracing\n"
        "    Properties: {PolicyName: tracing, Roles: [!Ref WebRole]}\n",
    ),
    # Tables.
    (
        "the_tables_are_kept_and_keyed_as_the_code_has_it",
        TEMPLATE,
        "DeletionProtectionEnabled: true",
        "DeletionProtectionEnabled: false",
    ),
    (
        "the_tables_are_kept_and_keyed_as_the_code_has_it",
        TEMPLATE,
        "PointInTimeRecoveryEnabled: true",
        "PointInTimeRecoveryEnabled: false",
    ),
    (
        "the_tables_are_kept_and_keyed_as_the_code_has_it",
        TEMPLATE,
        "SSESpecification: {SSEEnabled: true}",
        "SSESpecification: {SSEEnabled: false}",
    ),
    (
        "the_tables_are_kept_and_keyed_as_the_code_has_it",
        TEMPLATE,
        "UpdateReplacePolicy: Retain",
        "UpdateReplacePolicy: Delete",
    ),
    (
        "the_tables_are_kept_and_keyed_as_the_code_has_it",
        "shared/src/store/items.rs",
        'TTL: &str = "ttl"',
        'TTL: &str = "expires"',
    ),
    (
        "existing_tables_are_imported_as_the_guide_says",
        TEMPLATE,
        "  # The functions, each with its role.",
        "  # Each function with its role.",
    ),
    (
        "existing_tables_are_imported_as_the_guide_says",
        TEMPLATE,
        "      BillingMode: PAY_PER_REQUEST\n",
        "      BillingMode: PAY_PER_REQUEST\n      Tags: [{Key: stack, Value: !Ref AWS::StackName}]\n",
    ),
    (
        "existing_tables_are_imported_as_the_guide_says",
        GUIDE,
        '"LogicalResourceId": "ReleasesTable"',
        '"LogicalResourceId": "LinksTable"',
    ),
    (
        "names_are_cloudformations_or_begin_with_the_stacks",
        TEMPLATE,
        "  ReleasesTable:\n    Type: AWS::DynamoDB::Table\n    DeletionPolicy: Retain\n"
        "    UpdateReplacePolicy: Retain\n    Properties:\n",
        "  ReleasesTable:\n    Type: AWS::DynamoDB::Table\n    DeletionPolicy: Retain\n"
        "    UpdateReplacePolicy: Retain\n    Properties:\n      TableName: releases\n",
    ),
    (
        "names_are_cloudformations_or_begin_with_the_stacks",
        TEMPLATE,
        "/aws/lambda/${AWS::StackName}-web",
        "/aws/lambda/web",
    ),
    # The stream.
    (
        "the_tables_are_kept_and_keyed_as_the_code_has_it",
        TEMPLATE,
        "StreamViewType: OLD_IMAGE",
        "StreamViewType: KEYS_ONLY",
    ),
    (SWEPT, TEMPLATE, '{"eventName":["REMOVE"],', "{"),
    (SWEPT, "shared/src/store/keys.rs", 'RELEASE_SK: &str = "0#release"', 'RELEASE_SK: &str = "0"'),
    (SWEPT, TEMPLATE, "StartingPosition: TRIM_HORIZON", "StartingPosition: LATEST"),
    (SWEPT, TEMPLATE, "FunctionResponseTypes: [ReportBatchItemFailures]", "TumblingWindowInSeconds: 0"),
    (SWEPT, TEMPLATE, "            MaximumRetryAttempts: 100\n", ""),
    (SWEPT, TEMPLATE, "MaximumRecordAgeInSeconds: 21600", "MaximumRecordAgeInSeconds: 604800"),
    (
        SWEPT,
        TEMPLATE,
        "            DestinationConfig:\n"
        "              OnFailure: {Type: SQS, Destination: !GetAtt SweepFailures.Arn}\n",
        "",
    ),
    (SWEPT, TEMPLATE, "SqsManagedSseEnabled: true", "SqsManagedSseEnabled: false"),
    (SWEPT, TEMPLATE, "MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 345600"),
    (
        "roles_are_apart_and_name_what_they_allow",
        TEMPLATE,
        "Resource: !GetAtt ReleasesTable.StreamArn",
        'Resource: "*"',
    ),
    # Logs and alarms.
    (
        "every_log_is_kept_as_long_as_chosen",
        TEMPLATE,
        "      RetentionInDays: !Ref LogRetentionDays\n",
        "",
    ),
    (
        "the_api_can_log_before_it_has_a_stage",
        TEMPLATE,
        "      WrittenBy: !If [CreatesApiLogRole, !Ref ApiLogAccount, !Ref AWS::NoValue]\n",
        "",
    ),
    (
        "the_api_can_log_before_it_has_a_stage",
        TEMPLATE,
        "    Type: AWS::ApiGateway::Account\n    Condition: CreatesApiLogRole\n",
        "    Type: AWS::ApiGateway::Account\n",
    ),
    (
        "alarms_watch_every_function_and_the_api",
        TEMPLATE,
        "      ExtendedStatistic: p99\n",
        "      Statistic: Average\n",
    ),
    (
        "alarms_watch_every_function_and_the_api",
        TEMPLATE,
        "    Condition: HasAlarms\n",
        "",
    ),
    (
        "alarms_watch_every_function_and_the_api",
        TEMPLATE,
        "!If [HasAlarmTopic, [!Ref AlarmTopicArn], !Ref AWS::NoValue]",
        "[!Ref AlarmTopicArn]",
    ),
    ("alarms_watch_every_function_and_the_api", TEMPLATE, "      Name: !Ref AWS::StackName\n", ""),
    (
        "alarms_watch_every_function_and_the_api",
        TEMPLATE,
        "      MetricName: Throttles\n",
        "      MetricName: Throttles\n"
        "      Dimensions: [{Name: FunctionName, Value: !Ref WebFunction}]\n",
    ),
    ("alarms_watch_every_function_and_the_api", TEMPLATE, "USD a month. Without", "USD. Without"),
    (
        "alarms_watch_every_function_and_the_api",
        TEMPLATE,
        "        - {Name: ExecutedVersion, Value: !GetAtt WebFunction.Version.Version}\n",
        "",
    ),
    (
        "alarms_watch_every_function_and_the_api",
        TEMPLATE,
        '        - {Name: Resource, Value: !Sub "${WebFunction}:live"}\n',
        '        - {Name: Resource, Value: !Sub "${WebFunction}"}\n',
    ),
    (
        "alarms_watch_every_function_and_the_api",
        TEMPLATE,
        "Dimensions: [{Name: version, Value: !GetAtt WebFunction.Version.Version}]",
        "Dimensions: [{Name: version, Value: !GetAtt GetLinkFunction.Version.Version}]",
    ),
    (
        "the_alarms_of_a_deployment_are_new_with_each_version",
        TEMPLATE,
        "-web-errors-version-${WebFunction.Version.Version}",
        "-web-errors",
    ),
    (
        "errors_of_a_functions_own_are_counted_by_version",
        TEMPLATE,
        "LogGroupName: !Ref WebLogGroup",
        "LogGroupName: !Ref GetLinkLogGroup",
    ),
    (
        "errors_of_a_functions_own_are_counted_by_version",
        TEMPLATE,
        " && ($.transient IS FALSE)",
        "",
    ),
    (
        "errors_of_a_functions_own_are_counted_by_version",
        "shared/src/api/respond.rs",
        "version, transient, cause",
        "version, cause",
    ),
    ("alarms_watch_every_function_and_the_api", TEMPLATE, "--queue-url ${SweepFailures}", ""),
    # The whole.
    (
        "a_domain_is_made_where_one_is_named",
        TEMPLATE,
        "HasDomain: !Not [!Equals [!Ref DomainName, \"\"]]",
        "HasDomain: !Equals [!Ref DomainName, \"\"]",
    ),
    ("a_domain_is_made_where_one_is_named", TEMPLATE, "TLS_1_2", "TLS_1_0"),
    (
        "the_outputs_say_where_it_is_and_what_to_do_next",
        TEMPLATE,
        "!Sub https://${DomainName}\n",
        "!Sub https://${DomainName}/${StageName}\n",
    ),
    (
        "the_outputs_say_where_it_is_and_what_to_do_next",
        TEMPLATE,
        " RELEASES_TABLE=${ReleasesTable}",
        "",
    ),
    (
        "the_outputs_say_where_it_is_and_what_to_do_next",
        TEMPLATE,
        "AWS_REGION=${AWS::Region} ",
        "",
    ),
    (
        "the_outputs_say_where_it_is_and_what_to_do_next",
        TEMPLATE,
        "    Value: !Ref SweepFailures\n",
        "    Value: !GetAtt SweepFailures.Arn\n",
    ),
    (
        "everything_that_is_named_is_there",
        TEMPLATE,
        "WrittenBy: !If [CreatesApiLogRole, !Ref ApiLogAccount, !Ref AWS::NoValue]",
        "WrittenBy: !Ref ApiLogAccount",
    ),
    (
        "nothing_needs_itself",
        TEMPLATE,
        "    DependsOn: Api\n",
        "    DependsOn: ApiStage\n",
    ),
    (
        "nothing_needs_itself",
        TEMPLATE,
        "        PUBLIC_URL: !Ref PublicUrl\n",
        "        PUBLIC_URL: !Sub https://${Api}.example.com\n",
    ),
    (
        "nothing_is_larger_than_it_may_be",
        TEMPLATE,
        "  ApiLogGroup:\n",
        "".join(f"  Log{n}:\n    Type: AWS::Logs::LogGroup\n" for n in range(300)) + "  ApiLogGroup:\n",
    ),
    (
        "nothing_is_larger_than_it_may_be",
        TEMPLATE,
        "            Path: /api/v4/",
        f"            Path: /api/{'v' * 1000}/",
    ),
    (
        "the_least_choice_costs_nothing_at_rest",
        TEMPLATE,
        "    Condition: HasAlarms\n",
        "",
    ),
    (
        "the_least_choice_costs_nothing_at_rest",
        TEMPLATE,
        "      BinaryMediaTypes:",
        "      CacheClusterEnabled: true\n      BinaryMediaTypes:",
    ),
    (
        "the_least_choice_costs_nothing_at_rest",
        TEMPLATE,
        "    AutoPublishAlias: live\n",
        "    AutoPublishAlias: live\n"
        "    ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 1}\n",
    ),
    (
        "every_parameter_is_explained_bounded_and_grouped",
        TEMPLATE,
        "Parameters: [ThrottlingRateLimit, ThrottlingBurstLimit]",
        "Parameters: [ThrottlingRateLimit]",
    ),
    (
        "every_parameter_is_explained_bounded_and_grouped",
        TEMPLATE,
        '    AllowedPattern: "[A-Za-z0-9_-]{1,128}"\n',
        "",
    ),
    (
        "every_parameter_is_explained_bounded_and_grouped",
        TEMPLATE,
        "    Description: The lowest level of the functions' log lines.\n",
        "",
    ),
    (
        "a_public_url_is_taken_as_the_functions_write_it",
        TEMPLATE,
        '"(https?://[^\\\\s/?#\\\\\\\\]+(/[^\\\\s/?#\\\\\\\\]+)*)?"',
        '"(https?://[^\\\\s?#]+)?"',
    ),
    (
        "the_guide_asks_for_the_tested_sam_cli",
        "tests/infra/requirements.txt",
        "aws-sam-cli==1.",
        "aws-sam-cli==2.",
    ),
]
