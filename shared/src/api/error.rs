//! Every error the API can answer. `error_response` has their words.
//!
//! The cause of a 500 stands in the variant: it is logged, and clients do not see it.

use std::borrow::Cow;

use crate::authorize::AuthorizeError;
use crate::authorize::access::AccessError;
use crate::domain::link::ValidationError;
use crate::domain::release::ReleaseValidationError;
use crate::store::error::{StoreError, with_causes};

/// An answer that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// Bytes that are no text, or parameters that contradict each other.
    BadRequest,
    /// A body that is no JSON, though it says so.
    MalformedJson {
        /// Whether the request accepts JSON and nothing else.
        accepts_only_json: bool,
    },
    /// A token in the `Authorization` header and another in the `access_token` parameter.
    TwoTokens,
    /// A `format` other than JSON.
    NotAcceptable {
        /// The format that was asked for.
        format: String,
    },
    /// A body of a type that has no parameters in it.
    UnsupportedMediaType {
        /// The type, in lower case and without its parameters.
        media_type: String,
    },
    BodyTooLarge,
    /// Parameters that are missing or of the wrong kind.
    Parameters(Vec<ParamProblem>),
    Refused(AccessError),
    /// A release or link that is not there, on the links endpoints.
    RecordNotFound,
    /// A release that is not there, on the releases endpoints.
    ReleaseNotFound,
    /// A tag that has no release.
    TagNotFound,
    /// A commit that no release names.
    CommitNotFound,
    /// A branch that is not the default one.
    BranchNotFound,
    JobNotFound,
    /// A path or method that leads nowhere.
    RouteNotFound,
    FilesNotStored,
    ApiV3Gone,
    /// A link that breaks the rules of the model.
    Model(Vec<ValidationError>),
    /// A release that breaks the rules of the model, or whose links do.
    ReleaseModel(Vec<ReleaseValidationError>),
    /// A new link of a new release has a type there is not.
    NoSuchLinkType(String),
    /// A tag that no Git repository can have.
    TagNameInvalid,
    /// A tag that the caller may not create.
    TagProtected,
    /// A tag that has a release.
    ReleaseExists,
    /// Milestones that are not there.
    NoSuchMilestones(Vec<String>),
    /// Milestones that are not there, by number.
    NoSuchMilestoneIds(Vec<i64>),
    /// A change that changes nothing.
    NothingToChange,
    /// A change of something newer than the request allows.
    PreconditionFailed,
    /// A redirect to where no header can lead.
    LocationTooLong,
    /// The digests of a release with more links than one answer has room for.
    TooManyLinksToSum,
    /// The database does not answer; another try may succeed.
    Unavailable {
        /// Why, for the log.
        cause: String,
    },
    Internal {
        /// Which, for the log.
        cause: String,
    },
}

/// A parameter's name, as GitLab spells it. A parameter in a list has its index in the name.
pub type ParamName = Cow<'static, str>;

/// A fault of a parameter, found before anything is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamProblem {
    /// It has to be there and is not.
    Missing(ParamName),
    /// It is of the wrong kind.
    Invalid(ParamName),
    /// It is not one of the listed values.
    NotListed(ParamName),
    /// It is the one value that is refused.
    NotAllowed(ParamName),
    /// It is a path that leads out of its folder.
    NotAFilePath(ParamName),
    /// An update has neither a name nor a url.
    NeitherNameNorUrl,
    /// A release has both `milestones` and `milestone_ids`.
    MilestonesTwice,
}

impl ApiError {
    /// Whether this is the database's fault for a moment, and not this version's.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// The cause, for the log alone.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        if let Self::Unavailable { cause } | Self::Internal { cause } = self {
            Some(cause)
        } else {
            None
        }
    }
}

impl From<AccessError> for ApiError {
    fn from(refusal: AccessError) -> Self {
        Self::Refused(refusal)
    }
}

impl From<AuthorizeError> for ApiError {
    fn from(error: AuthorizeError) -> Self {
        match error {
            AuthorizeError::Refused(refusal) => refusal.into(),
            AuthorizeError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let cause = with_causes(&error);
        if error.is_transient() { Self::Unavailable { cause } } else { Self::Internal { cause } }
    }
}
