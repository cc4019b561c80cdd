#include "tokendb/scope.h"

#include <algorithm>

namespace tokendb {
namespace {

// Buildkite's GraphQL schema, enum APIAccessTokenScopes.
constexpr BuildkiteScope kScopes[] = {
    {"DELETE_PACKAGES", "delete_packages"},
    {"DELETE_REGISTRIES", "delete_registries"},
    {"GRAPHQL", "graphql"},
    {"READ_AGENTS", "read_agents"},
    {"READ_ARTIFACTS", "read_artifacts"},
    {"READ_AUDIT_EVENTS", "read_audit_events"},
    {"READ_BUILDS", "read_builds"},
    {"READ_BUILD_LOGS", "read_build_logs"},
    {"READ_CLUSTERS", "read_clusters"},
    {"READ_DEPLOYABLES", "read_deployables"},
    {"READ_EVENTS", "read_events"},
    {"READ_JOB_ENV", "read_job_env"},
    {"READ_NOTIFICATION_SERVICES", "read_notification_services"},
    {"READ_ORGANIZATIONS", "read_organizations"},
    {"READ_ORGANIZATION_INVITATIONS", "read_organization_invitations"},
    {"READ_ORGANIZATION_REPOSITORY_CONNECTIONS",
     "read_organization_repository_connections"},
    {"READ_ORGANIZATION_SETTINGS", "read_organization_settings"},
    {"READ_PACKAGES", "read_packages"},
    {"READ_PIPELINES", "read_pipelines"},
    {"READ_PIPELINE_TEMPLATES", "read_pipeline_templates"},
    {"READ_PORTALS", "read_portals"},
    {"READ_REGISTRIES", "read_registries"},
    {"READ_RULES", "read_rules"},
    {"READ_SECRETS_DETAILS", "read_secrets_details"},
    {"READ_SUITES", "read_suites"},
    {"READ_TEAMS", "read_teams"},
    {"READ_TEST_PLAN", "read_test_plan"},
    {"READ_TEST_POOL", "read_test_pool"},
    {"READ_USER", "read_user"},
    {"WRITE_AGENTS", "write_agents"},
    {"WRITE_ARTIFACTS", "write_artifacts"},
    {"WRITE_BUILDS", "write_builds"},
    {"WRITE_BUILD_LOGS", "write_build_logs"},
    {"WRITE_CLUSTERS", "write_clusters"},
    {"WRITE_DEPLOYABLES", "write_deployables"},
    {"WRITE_NOTIFICATION_SERVICES", "write_notification_services"},
    {"WRITE_ORGANIZATIONS", "write_organizations"},
    {"WRITE_ORGANIZATION_INVITATIONS", "write_organization_invitations"},
    {"WRITE_ORGANIZATION_SETTINGS", "write_organization_settings"},
    {"WRITE_PACKAGES", "write_packages"},
    {"WRITE_PIPELINES", "write_pipelines"},
    {"WRITE_PIPELINE_TEMPLATES", "write_pipeline_templates"},
    {"WRITE_PORTALS", "write_portals"},
    {"WRITE_REGISTRIES", "write_registries"},
    {"WRITE_RULES", "write_rules"},
    {"WRITE_SECRETS", "write_secrets"},
    {"WRITE_SUITES", "write_suites"},
    {"WRITE_TEAMS", "write_teams"},
    {"WRITE_TEST_PLAN", "write_test_plan"},
};

}  // namespace

absl::Span<const BuildkiteScope> BuildkiteScopes() { return kScopes; }

std::optional<BuildkiteScope> FindBuildkiteScope(std::string_view name) {
  const auto* const it = std::find_if(
      std::begin(kScopes), std::end(kScopes), [&](const BuildkiteScope& scope) {
        return scope.enum_name == name || scope.name == name;
      });
  if (it == std::end(kScopes)) return std::nullopt;
  return *it;
}

}  // namespace tokendb
