#Requires -Version 5.1
<#
.SYNOPSIS
Stops Tonspur and removes its scheduled tasks; library, state, settings and packages stay.
.PARAMETER Python
The python.exe that Tonspur is installed in. Default: that of the scheduled tasks.
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string]$Python = ''
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
. (Join-Path $PSScriptRoot 'parts.ps1')

$tasks = Get-Part
if (-not $tasks) {
    Write-Output 'There are no tasks of Tonspur.'
    return
}
$interpreter = Find-Python $Python
$state = Get-StateFolder $interpreter
Stop-Part $interpreter
foreach ($task in $tasks) {
    if ($PSCmdlet.ShouldProcess("$TaskPath$($task.TaskName)", 'Remove the scheduled task')) {
        Unregister-ScheduledTask -TaskPath $TaskPath -TaskName $task.TaskName -Confirm:$false
    }
}
Write-Output "Kept: $Root (program, settings), $state (state, logs), and the library."
