//! HEAD in the contract, from GET.

pub(crate) fn render(contract: &str) -> Result<String, String> {
    Ok(contract.to_owned())
}
