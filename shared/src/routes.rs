//! Every route of the API: method, path template, function.
//!
//! The local server routes by this table; tests hold the template, the contract and cargo-lambda's
//! routes to it.

use std::fmt;
use std::sync::LazyLock;

use http::Method;
use matchit::Router;
use strum::{EnumMessage, IntoStaticStr, VariantArray};

/// A Lambda function: one folder, one package, one binary, one role. The comment of a variant is its
/// description on AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumMessage, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Function {
    /// Lists the links of a release.
    ListLinks,
    /// Shows a link of a release.
    GetLink,
    /// Makes a link in a release.
    CreateLink,
    /// Changes a link of a release.
    UpdateLink,
    /// Deletes a link of a release.
    DeleteLink,
    /// Lists the releases of a project.
    ListReleases,
    /// Shows a release.
    GetRelease,
    /// Makes a release, with the links in assets.links.
    CreateRelease,
    /// Changes a release.
    UpdateRelease,
    /// Deletes a release.
    DeleteRelease,
    /// Redirects to the file behind a path of a release.
    DownloadAsset,
    /// Redirects to the latest release of a project, or below it.
    LatestRelease,
    /// Lists the projects that the caller may see.
    ListProjects,
    /// Shows a project.
    GetProject,
    /// Shows the caller as a member of a project.
    GetMember,
    /// Lists the merge requests of a commit, of which there are none.
    ListMergeRequests,
    /// Lists the tags that have releases.
    ListTags,
    /// Shows the tag of a release.
    GetTag,
    /// Deletes a tag and its release.
    DeleteTag,
    /// Shows the commit of a tag, of the default branch, of HEAD, or one by its id.
    GetCommit,
    /// Lists the default branch.
    ListBranches,
    /// Shows the default branch.
    GetBranch,
    /// Shows the user that a token acts for.
    GetUser,
    /// Shows the job that a token belongs to.
    GetJob,
    /// Says which GitLab this is like.
    GetVersion,
    /// Serves the pages for people, and answers everything else.
    Web,
}

impl Function {
    /// All functions that routes lead to.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    /// Its folder, package and binary.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Reading.
    Get,
    /// Reading without the body.
    Head,
    /// Making.
    Post,
    /// Changing.
    Put,
    /// Deleting.
    Delete,
    /// Every method the same path has no row of its own for.
    Any,
}

impl Verb {
    /// The method as it stands in a request, or `ANY`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Any => "ANY",
        }
    }
}

/// A route, in the words of API Gateway's REST flavour: `{name}` is one segment, `{name+}` the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub verb: Verb,
    pub path: &'static str,
    pub function: Function,
}

pub const LINKS: &str = "/api/v4/projects/{id}/releases/{tag_name}/assets/links";
/// One link of a release.
pub const LINK: &str = "/api/v4/projects/{id}/releases/{tag_name}/assets/links/{link_id}";
/// The releases of a project.
pub const RELEASES: &str = "/api/v4/projects/{id}/releases";
/// One release of a project.
pub const RELEASE: &str = "/api/v4/projects/{id}/releases/{tag_name}";
/// The download of a file by its path.
pub const DOWNLOAD: &str =
    "/api/v4/projects/{id}/releases/{tag_name}/downloads/{direct_asset_path+}";
/// The latest release of a project.
pub const LATEST: &str = "/api/v4/projects/{id}/releases/permalink/latest";
/// Any path below the latest release of a project.
pub const BELOW_LATEST: &str = "/api/v4/projects/{id}/releases/permalink/latest/{suffix_path+}";
pub const PROJECTS: &str = "/api/v4/projects";
pub const PROJECT: &str = "/api/v4/projects/{id}";
pub const MEMBER: &str = "/api/v4/projects/{id}/members/all/{user_id}";
/// The merge requests of a commit.
pub const MERGE_REQUESTS: &str = "/api/v4/projects/{id}/repository/commits/{sha}/merge_requests";
pub const TAGS: &str = "/api/v4/projects/{id}/repository/tags";
pub const TAG: &str = "/api/v4/projects/{id}/repository/tags/{tag_name}";
pub const COMMIT: &str = "/api/v4/projects/{id}/repository/commits/{sha}";
/// The branches of a project.
pub const BRANCHES: &str = "/api/v4/projects/{id}/repository/branches";
pub const BRANCH: &str = "/api/v4/projects/{id}/repository/branches/{branch}";
pub const USER: &str = "/api/v4/user";
pub const JOB: &str = "/api/v4/job";
pub const VERSION: &str = "/api/v4/version";

/// The methods of a path, and the functions that answer them.
type Endpoints = &'static [(Verb, Function)];

/// The endpoints, more special paths first.
const ENDPOINTS: &[(&str, Endpoints)] = &[
    (LINKS, &[(Verb::Get, Function::ListLinks), (Verb::Post, Function::CreateLink)]),
    (
        LINK,
        &[
            (Verb::Get, Function::GetLink),
            (Verb::Put, Function::UpdateLink),
            (Verb::Delete, Function::DeleteLink),
        ],
    ),
    (DOWNLOAD, &[(Verb::Get, Function::DownloadAsset)]),
    (LATEST, &[(Verb::Get, Function::LatestRelease)]),
    (BELOW_LATEST, &[(Verb::Get, Function::LatestRelease)]),
    (RELEASES, &[(Verb::Get, Function::ListReleases), (Verb::Post, Function::CreateRelease)]),
    (
        RELEASE,
        &[
            (Verb::Get, Function::GetRelease),
            (Verb::Put, Function::UpdateRelease),
            (Verb::Delete, Function::DeleteRelease),
        ],
    ),
    (PROJECTS, &[(Verb::Get, Function::ListProjects)]),
    (PROJECT, &[(Verb::Get, Function::GetProject)]),
    (MEMBER, &[(Verb::Get, Function::GetMember)]),
    (MERGE_REQUESTS, &[(Verb::Get, Function::ListMergeRequests)]),
    (TAGS, &[(Verb::Get, Function::ListTags)]),
    (TAG, &[(Verb::Get, Function::GetTag), (Verb::Delete, Function::DeleteTag)]),
    (COMMIT, &[(Verb::Get, Function::GetCommit)]),
    (BRANCHES, &[(Verb::Get, Function::ListBranches)]),
    (BRANCH, &[(Verb::Get, Function::GetBranch)]),
    (USER, &[(Verb::Get, Function::GetUser)]),
    (JOB, &[(Verb::Get, Function::GetJob)]),
    (VERSION, &[(Verb::Get, Function::GetVersion)]),
];

/// The routes: of each path its endpoints, HEAD beside GET, and `web` for the other methods. `web` also
/// takes all other paths.
pub static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let mut routes = Vec::new();
    let mut add = |verb, path, function| routes.push(Route { verb, path, function });
    for (path, endpoints) in ENDPOINTS {
        for (verb, function) in *endpoints {
            add(*verb, path, *function);
            if *verb == Verb::Get {
                add(Verb::Head, path, *function);
            }
        }
        add(Verb::Any, path, Function::Web);
    }
    for path in ["/", "/{proxy+}"] {
        add(Verb::Any, path, Function::Web);
    }
    routes
});

/// A route that fits a request, with the path's parameters as they stand in it: still encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    pub route: &'static Route,
    /// Names and encoded values of the parameters.
    pub parameters: Vec<(&'static str, String)>,
}

/// An encoded path as Rails normalizes it before routing: repeated slashes become one, and one at
/// the end goes. `%2F` is no slash.
#[must_use]
pub fn normalized(encoded_path: &str) -> String {
    let segments = encoded_path.split('/').filter(|segment| !segment.is_empty());
    segments.fold(String::from("/"), |mut path, segment| {
        if path.len() > 1 {
            path.push('/');
        }
        path.push_str(segment);
        path
    })
}

/// The routes of each path. The last of them takes the methods that the others do not.
static PATHS: LazyLock<Router<&'static [Route]>> = LazyLock::new(|| {
    let mut paths = Router::new();
    for routes in ROUTES.chunk_by(|one, next| one.path == next.path) {
        let path = match routes[0].path.strip_suffix("+}").and_then(|path| path.rsplit_once('{')) {
            Some((before, name)) => format!("{before}{{*{name}}}"),
            None => routes[0].path.to_owned(),
        };
        // It fails for paths that differ in the names of parameters alone; a test finds every path.
        let _ = paths.insert(path, routes);
    }
    paths
});

/// Finds the route of a request by its [normalized] encoded path. `%2F` stays inside its segment.
#[must_use]
pub fn find(method: &Method, encoded_path: &str) -> Match {
    let path = normalized(encoded_path);
    let (routes, parameters) = match PATHS.at(&path) {
        Ok(found) => {
            let parameters = found.params.iter().map(|(name, value)| (name, value.to_owned()));
            (*found.value, parameters.collect())
        }
        Err(_) => (&ROUTES[ROUTES.len() - 1..], Vec::new()),
    };
    let exact = routes.iter().find(|route| route.verb.as_str() == method.as_str());
    Match { route: exact.unwrap_or(&routes[routes.len() - 1]), parameters }
}

/// The methods of a path that functions other than `web` answer, in the order of the table.
pub fn allowed_methods(encoded_path: &str) -> impl Iterator<Item = Verb> {
    let routes = PATHS.at(&normalized(encoded_path)).map_or(&[][..], |found| *found.value);
    routes.iter().map(|route| route.verb).filter(|verb| *verb != Verb::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> String {
        let found = find(&method.parse().unwrap(), path);
        format!("{} {:?}", found.route.function, found.parameters)
    }

    #[test]
    fn encoded_slashes_stay_inside_their_segment() {
        let path = "/api/v4/projects/g%2Fp/releases/v%2F1/assets/links";
        assert_eq!(found("GET", path), r#"list-links [("id", "g%2Fp"), ("tag_name", "v%2F1")]"#);
        assert_eq!(found("HEAD", path), found("GET", path));
        assert_eq!(
            found("PUT", &format!("{path}/7/")),
            r#"update-link [("id", "g%2Fp"), ("tag_name", "v%2F1"), ("link_id", "7")]"#
        );
    }

    #[test]
    fn every_route_is_found() {
        for route in ROUTES.iter() {
            let path = route.path.replace("+}", "}");
            let found = find(&route.verb.as_str().parse().unwrap(), &path);
            assert_eq!(found.route, route);
            for (name, value) in found.parameters {
                assert_eq!(value, format!("{{{name}}}"));
            }
        }
    }

    #[test]
    fn a_path_that_begins_like_another_is_found() {
        let latest = "/api/v4/projects/1/releases/permalink";
        for (path, function) in [
            (format!("{latest}/assets/links"), "list-links"),
            (format!("{latest}/downloads/latest"), "download-asset"),
            (format!("{latest}/latest/assets/links"), "latest-release"),
            (latest.to_owned(), "get-release"),
            (format!("{latest}/later"), "web"),
        ] {
            assert!(found("GET", &path).starts_with(&format!("{function} [")), "{path}");
        }
    }

    #[test]
    fn unmatched_requests_go_to_web() {
        for (method, path) in [
            ("PATCH", "/api/v4/projects/1/releases/v/assets/links/1"),
            ("PUT", "/api/v4/projects/1/releases/v/assets/links"),
            ("GET", "/api/v4/projects/g/p/releases/v/assets/links"),
            ("GET", "/api/v4/projects//releases/v/assets/links"),
            ("GET", "/"),
            ("GET", "//"),
            ("OPTIONS", "/x"),
        ] {
            assert!(found(method, path).starts_with("web "), "{method} {path}");
        }
    }

    #[test]
    fn repeated_and_trailing_slashes_are_squeezed_before_routing() {
        let links = "/api/v4/projects/g%2Fp/releases/v1/assets/links";
        for spelled in [
            "//api/v4/projects/g%2Fp/releases/v1/assets/links",
            "/api/v4//projects/g%2Fp///releases/v1/assets/links//",
        ] {
            assert_eq!(normalized(spelled), links);
            assert_eq!(found("GET", spelled), found("GET", links));
        }
        assert_eq!(
            found("GET", "/api/v4/projects/1/releases/v1/downloads//bin///a/"),
            r#"download-asset [("id", "1"), ("tag_name", "v1"), ("direct_asset_path", "bin/a")]"#
        );
        assert_eq!(
            found("GET", "/api/v4/projects/g%2F%2Fp/"),
            r#"get-project [("id", "g%2F%2Fp")]"#
        );
        for root in ["", "/", "//", "///"] {
            assert_eq!(normalized(root), "/");
        }
        assert_eq!(normalized("*"), "/*");
    }

    proptest::proptest! {
        #[test]
        fn normalizing_drops_nothing_but_slashes(path in "(/|//|%2[fF]|a|é|\\.){0,12}") {
            let once = normalized(&path);
            proptest::prop_assert!(once.starts_with('/') && !once.contains("//"), "{once}");
            proptest::prop_assert!(once == "/" || !once.ends_with('/'), "{once}");
            let rest = |path: &str| path.replace('/', "");
            proptest::prop_assert_eq!(rest(&once), rest(&path));
            proptest::prop_assert_eq!(normalized(&once), once);
        }
    }

    #[test]
    fn the_methods_of_a_path_are_those_of_its_rows() {
        fn names(path: &str) -> Vec<&'static str> {
            allowed_methods(path).map(Verb::as_str).collect()
        }
        let links = "/api/v4/projects/1/releases/v/assets/links";
        assert_eq!(names(links), ["GET", "HEAD", "POST"]);
        assert_eq!(names(&format!("{links}/1")), ["GET", "HEAD", "PUT", "DELETE"]);
        assert!(names("/nothing").is_empty());
    }
}
