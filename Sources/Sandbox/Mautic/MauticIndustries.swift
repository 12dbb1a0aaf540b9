/// The industries a company of a fresh Mautic can have.
let mauticIndustries: [String] = [
    "Aerospace & Defense", "Agriculture", "Apparel", "Automotive & Assembly", "Banking",
    "Biotechnology", "Chemicals", "Communications", "Construction", "Consumer Packaged Goods",
    "Education", "Electronics", "Energy", "Engineering", "Entertainment", "Environmental",
    "Finance", "Food & Beverage", "Government", "Healthcare", "Hospitality", "Insurance",
    "Machinery", "Manufacturing", "Media", "Metals & Mining", "Not for Profit", "Oil & Gas",
    "Packaging & Paper", "Private Equity & Principal Investors", "Recreation", "Real Estate",
    "Retail", "Semiconductors", "Shipping", "Social Sector", "Technology", "Telecommunications",
    "Transportation", "Utilities", "Other",
]
