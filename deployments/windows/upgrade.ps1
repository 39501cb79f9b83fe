#Requires -Version 5.1
<#
.SYNOPSIS
Brings Tonspur up to date: stops it, fetches and installs the new version, starts it again.
.PARAMETER Python
The python.exe that Tonspur is installed in. Default: that of the scheduled tasks.
.PARAMETER NoPull
Install the checkout as it is.
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string]$Python = '',
    [switch]$NoPull
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
. (Join-Path $PSScriptRoot 'parts.ps1')

if (-not (Get-Part)) {
    throw 'There are no tasks of Tonspur: call install.ps1 first.'
}
$interpreter = Find-Python $Python
Stop-Part $interpreter
try {
    if (-not $NoPull -and $PSCmdlet.ShouldProcess($Root, 'git pull')) {
        Invoke-Program 'git.exe' @('-C', $Root, 'pull', '--ff-only')
    }
    if ($PSCmdlet.ShouldProcess($Root, 'pip install')) {
        $pip = @('-m', 'pip', 'install', '--quiet')
        Invoke-Program $interpreter ($pip + @('--editable', $Root))
        # YouTube changes all the time
        Invoke-Program $interpreter ($pip + @('--upgrade', 'yt-dlp[default,deno]'))
    }
} finally {
    Start-Part   # also the old version, where the new one cannot be installed
}
